"""The WSGI server of the gcp profile: gunicorn with one worker process of threads (docs/decisions/0044-gunicorn.md).

The first process only starts, watches and ends the second. Everything else lives in the second, made after the
fork: neither threads nor gRPC survive one.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from typing import Any, Protocol

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]  # it has no types of its own
from gunicorn.glogging import Logger  # type: ignore[import-untyped]  # as above

from shared.errors import Misconfigured
from shared.runtime.pushes import Wsgi

# As on one machine (server.py): more threads than the gateway allows streams.
THREADS = 64
# Cloud Run kills ten seconds after SIGTERM; what was not done by then is what a claim's lease is for.
# Source: cloud.google.com/run/docs/container-contract#instance-shutdown (read November 2026).
LEAVE_S = 9
ANSWER_S = 3
# Connections are the front end's; it keeps them for about this long, and a reset in its face is an error to a person.
_KEEP_ALIVE_S = 75


class _Lines(Logger):  # type: ignore[misc]  # a class without types
    """Its lines as all others of this process (shared/telemetry/logs.py): it names addresses as they were asked for."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


_CONFIG: dict[str, object] = {
    "worker_class": "gthread",
    "workers": 1,
    "threads": THREADS,
    "keepalive": _KEEP_ALIVE_S,
    "graceful_timeout": LEAVE_S,
    "timeout": 0,  # an instance whose CPU was taken away for a minute is not stuck; the liveness probe judges
    "control_socket_disable": True,
    "accesslog": None,
    "loglevel": "warning",
    "logger_class": _Lines,
}


class Served(Protocol):
    """What lives in the worker process."""

    @property
    def web(self) -> Wsgi | None: ...

    def start(self) -> None: ...

    def leave(self) -> None:
        """Returns at once: nothing new is begun, open streams end. May be called in a signal's wake."""

    def stop(self) -> None: ...


class _Gunicorn(BaseApplication):  # type: ignore[misc]  # a class without types
    def __init__(self, make: Callable[[], Served], listening: socket.socket) -> None:
        self._make = make
        self._bind = f"fd://{listening.detach()}"
        self._served: Served | None = None
        super().__init__()

    def load_config(self) -> None:
        hooks = {"post_worker_init": self._began, "worker_exit": self._ended}
        for name, value in {**_CONFIG, **hooks, "bind": self._bind}.items():
            self.cfg.set(name, value)

    def load(self) -> Wsgi:
        """In the worker process, before it takes its first request."""
        self._served = self._make()
        self._served.start()
        if self._served.web is None:
            raise Misconfigured("Nobody asks what runs here, so it needs no server.")
        return self._served.web

    def _began(self, worker: Any) -> None:
        worker.cfg.set("graceful_timeout", ANSWER_S)  # its own share; the rest is for `stop`

        def leave(number: int, frame: Any) -> None:
            worker.handle_exit(number, frame)
            if self._served is not None:
                worker.method_queue.defer(self._served.leave)  # in the serving thread, not inside the signal

        signal.signal(signal.SIGTERM, leave)

    def _ended(self, _arbiter: Any, _worker: Any) -> None:
        if self._served is not None:
            self._served.stop()


def serve(make: Callable[[], Served], listening: socket.socket) -> int:
    """Until SIGTERM or SIGINT: takes no new request, gives those under way three seconds, stops what `make` made,
    and ends within nine. Ends with status 3 when `make` raised. Takes the socket over."""
    try:
        _Gunicorn(make, listening).run()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    return 0
