"""Agent Builder on one machine: all services in one process, or one of them with --only.

`python -m services.all_in_one [--fd N] [--only SERVICE]` serves · `… link` prints a sign-in link ·
`… doctor` says what works here · `… tick` makes sure that Cloud Scheduler ticks.
"""

from __future__ import annotations

import argparse
import gc
import signal
import socket
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from shared import processors
from shared.clock import Clock
from shared.errors import Misconfigured, Unavailable
from shared.runtime import profiles
from shared.runtime.pushes import EVENTS, HEALTH, Wsgi, beside
from shared.runtime.server import PortTaken, WebServer, listen
from shared.runtime.settings import Settings, from_environment
from shared.runtime.shell import Kit, Running, Service
from shared.runtime.ticker import Ticker
from shared.telemetry import logs

PROJECT = Path(__file__).parents[1]
SERVICES = ("ledger", "planner", "executor", "scheduler", "gateway")
EGRESS = "executor-egress"


def create(name: str, kit: Kit) -> Service:
    """Imports only the service asked for: of five processes each carries its own code."""
    make: Callable[[Kit], Service] = import_module(f"services.{name}.app").create
    return make(kit)


class Application:
    """The chosen services, wired and not yet started. `start` returns; `stop` may be called twice. listening: served
    by this process itself; None: `web` is for a server around it."""

    def __init__(
        self,
        settings: Settings,
        names: list[str],
        listening: socket.socket | None = None,
        clock: Clock | None = None,
    ) -> None:
        if listening is not None:
            settings = settings.model_copy(update={"port": listening.getsockname()[1]})
        self.settings = settings
        self.engines = profiles.engines(settings, names, project_dir=PROJECT, clock=clock)
        self.kits = {name: self.engines.kit(name) for name in names}
        self.services = {name: create(name, kit) for name, kit in self.kits.items()}
        self.running = {name: Running(service, self.kits[name]) for name, service in self.services.items()}
        self.web = self._served()
        self._server = (
            WebServer(self.web, listening) if self.web is not None and listening is not None else None
        )
        ticks = "scheduler" in names and not settings.pushed
        self._ticker = (
            Ticker(self.engines.bus, self.engines.clock, self.engines.ids, settings.tick_s) if ticks else None
        )
        self._stopped = False

    def _served(self) -> Wsgi | None:
        """What people ask for, what runs elsewhere ask for, and what is pushed."""
        apps = {service.below: service.web for service in self.services.values() if service.web is not None}
        front = apps.pop("", None)
        inlet = self.engines.inlet
        return beside(front, apps | (dict.fromkeys((EVENTS, HEALTH), inlet) if inlet is not None else {}))

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}"

    def start(self) -> None:
        for running in self.running.values():
            running.start()
        self.engines.bus.start()
        if self._ticker is not None:
            self._ticker.start()
        if self._server is not None:
            self._server.start()

    def leave(self) -> None:
        """Returns at once: no new job is begun, and the open streams end, which hold the server's threads. What
        those who still ask need goes on until `stop`."""
        if "gateway" in self.services:
            self.services["gateway"].stop()
        for running in self.running.values():
            running.leave()

    def stop(self) -> None:
        if self._stopped:
            return
        self._stopped = True
        if self._ticker is not None:
            self._ticker.stop()
        self.leave()
        if self._server is not None:
            self._server.stop()
        self.engines.bus.stop()
        for running in reversed(list(self.running.values())):
            running.stop()
        self.engines.close()


class Program(Application):
    """As the one thing this process does."""

    def start(self) -> None:
        super().start()
        gc.collect()
        gc.freeze()
        if self.settings.one_machine and len(self.services) == len(SERVICES):
            processors.keep_to_one()
        # Elsewhere what is printed is a log that others read.
        if "gateway" in self.services and self.settings.one_machine:
            link = sign_in_link(self.kits["gateway"], self.address)
            (self.engines.data_dir / "address").write_text(self.address)
            print(f"Agent Builder: {self.address}\nSign in (once, 10 minutes): {link}", flush=True)


def serve(settings: Settings, only: str | None, fd: int | None, clock: Clock | None = None) -> int:
    """Until SIGINT or SIGTERM; `clock` as in `profiles.engines`."""
    if only == EGRESS:
        return serve_egress(settings, fd, clock)
    names = [only] if only else list(SERVICES)
    listening = None
    if "gateway" in names or settings.pushed or (settings.sandbox == "cloud_run" and "executor" in names):
        here = (settings.port, settings.listen)
        listening = socket.socket(fileno=fd) if fd is not None else listen(*here)
    if settings.profile == "gcp" and listening is not None:
        from shared.runtime import gunicorn_server  # among the packages of this profile

        placed = settings.model_copy(update={"port": listening.getsockname()[1]})
        return gunicorn_server.serve(lambda: Program(placed, names, clock=clock), listening)
    program = Program(settings, names, listening, clock)
    return _until_told(program.start, program.stop)


def serve_egress(settings: Settings, fd: int | None, clock: Clock | None = None) -> int:
    """`executor-egress`: it hears no events, so it is none of the services; it shares the executor's database."""
    from services.executor import egress_app

    listening = socket.socket(fileno=fd) if fd is not None else listen(settings.port, settings.listen)
    engines = profiles.engines(settings, [], project_dir=PROJECT, clock=clock)
    egress = egress_app.create(engines.kit("executor"), listening)
    status = _until_told(egress.start, egress.stop)
    engines.close()
    return status


def _until_told(start: Callable[[], None], stop: Callable[[], None]) -> int:
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    start()
    stopping.wait()
    stop()
    return 0


def sign_in_link(kit: Kit, address: str) -> str:
    from services.gateway import app as gateway

    return gateway.sign_in_link(kit, address)


def link(settings: Settings) -> int:
    """Another sign-in link for a server that runs on the same data."""
    engines = profiles.engines(settings, list(SERVICES), project_dir=PROJECT)
    noted = engines.data_dir / "address"
    here = noted.read_text() if noted.exists() else f"http://127.0.0.1:{settings.port}"
    address = settings.public_url or here
    print(sign_in_link(engines.kit("gateway"), address), flush=True)
    engines.close()
    return 0


def doctor(settings: Settings) -> int:
    """What a sandbox holds to on this machine, and whether every attack is held; status 1 when nothing may run."""
    from services.executor import app as executor

    held = executor.doctor(
        settings, profiles.prepared(settings.data_dir), lambda line: print(line, flush=True)
    )
    return 0 if held else 1


def tick(settings: Settings) -> int:
    """A step of deploying: the job that ticks for an installation on Google Cloud is there and right."""
    from services.scheduler import app as scheduler

    print(f"The tick of every minute: {scheduler.reconcile_tick(settings)}.", flush=True)
    return 0


def main(arguments: list[str]) -> int:
    options = argparse.ArgumentParser(prog="services.all_in_one", description=__doc__)
    options.add_argument("command", nargs="?", choices=("serve", "link", "doctor", "tick"), default="serve")
    options.add_argument("--fd", type=int, help="a listening socket handed over by the start script")
    options.add_argument(
        "--only",
        choices=sorted((*SERVICES, EGRESS)),
        help="one service of five, or the way out of runs elsewhere",
    )
    chosen = options.parse_args(arguments)
    logs.install()
    try:
        settings = from_environment()
        logs.install(settings.gcp_project if settings.profile == "gcp" else "")
        if chosen.command == "link":
            return link(settings)
        if chosen.command == "doctor":
            return doctor(settings)
        if chosen.command == "tick":
            return tick(settings)
        return serve(settings, chosen.only, chosen.fd)
    except (Misconfigured, PortTaken, Unavailable) as error:
        print(error.detail, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
