"""Keeps sandboxes ready as the policy says: one thread that begins and ends them, away from every run's way."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from services.executor.attempts.warm import WarmPolicy
from services.executor.attempts.warm_imports import preload
from services.executor.egress.model import Exchange, Recorder
from services.executor.ports import Order, Sandbox, Waiting, shape
from shared.clock import Clock
from shared.errors import ProjectError

_LOOK_S = 15.0  # how often those that wait are measured
_CONTACTS = 20
log = logging.getLogger(__name__)


def processors_taken(stat: Path = Path("/proc/stat")) -> bool:
    """Whether more threads of this machine want a processor than it has, the one that asks left out
    (`procs_running` of proc_stat(5)). False where that cannot be read."""
    try:
        with stat.open(encoding="ascii") as file:
            running = next((int(line.split()[1]) for line in file if line.startswith("procs_running")), 0)
    except OSError:
        return False
    return running - 1 >= (os.cpu_count() or 1)


class Guard(Protocol):
    """The gateway as a sandbox without a run needs it."""

    def guard(self, listener: socket.socket, record: Recorder) -> None: ...

    def unguard(self, listener: socket.socket) -> None: ...


class Warming:
    """Made, it has no thread; the first run that could be warm starts it. Thread-safe. `busy` may be replaced by
    who knows better than the machine whether there is work for it."""

    def __init__(
        self,
        sandbox: Sandbox,
        guard: Guard,
        clock: Clock,
        policy: WarmPolicy | None = None,
        busy: Callable[[], bool] = processors_taken,
    ) -> None:
        self.busy = busy
        self._sandbox = sandbox
        self._guard = guard
        self._clock = clock
        self._policy = policy or WarmPolicy()
        self._orders: dict[str, Order] = {}
        self._contacts: dict[str, list[Exchange]] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def ran(self, order: Order, agent_id: str) -> None:
        """A run of this order began, warm or not. Returns at once."""
        if not order.warm_key:
            return
        with self._lock:
            if self._stopping or self._policy.is_spoilt(order.warm_key):
                return
            self._policy.ran(order.warm_key, agent_id, self._clock.monotonic())
            self._orders.setdefault(order.warm_key, shape(order))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="warming", daemon=True)
                self._thread.start()
        self._wake.set()

    def changed(self, agent_id: str) -> None:
        """The agent was switched, got another version or grant, or is gone: what waits for it goes, and it
        must earn the next by running again. Returns at once."""
        with self._lock:
            self._policy.useless(agent_id)
        self._wake.set()

    def contacts(self, key: str) -> list[Exchange]:
        """What packages of that key tried to reach while no run was bound; told once."""
        with self._lock:
            return self._contacts.pop(key, [])

    def waiting(self) -> tuple[Waiting, ...]:
        """For whoever watches."""
        return self._sandbox.waiting()

    def close(self) -> None:
        """Nothing is begun after this; what waits ends with the sandbox backend. May be called twice."""
        with self._lock:
            self._stopping = True
            thread = self._thread
        self._wake.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join(10)

    def _run(self) -> None:
        pause: float | None = 0.0
        while not self._stopping:
            if pause is None:
                self._wake.wait()
            else:
                self._clock.wait(self._wake, pause)
            self._wake.clear()
            try:
                pause = self._step()
            except Exception:
                log.exception("keeping sandboxes ready failed; runs start cold until the next one ends")
                pause = None

    def _step(self) -> float | None:
        """One look at everything; seconds until the next is due, None when only news will change anything."""
        waiting, now = self._sandbox.waiting(), self._clock.monotonic()
        with self._lock:
            if self._stopping:
                return None
            plan = self._policy.plan(waiting, now, busy=self.busy())
            order = self._orders[plan.begin] if plan.begin else None
            self._orders = {key: order for key, order in self._orders.items() if self._policy.knows(key)}
        for id in plan.end:
            self._sandbox.cool(id)
        if order is not None:
            self._begin(order)
        pauses = [plan.look_again_s, _LOOK_S if waiting else None]
        return min((pause for pause in pauses if pause is not None), default=None)

    def _begin(self, order: Order) -> None:
        key = order.warm_key
        door = _Door(self._guard, lambda exchange: self._met(key, exchange))
        modules = preload(order.code_dir, order.entry, order.site_dirs)
        blank = replace(order, egress=door.open, preload=modules)

        def gone(why: str) -> None:
            door.close()
            if why:
                log.info("a sandbox kept ready ended: %s", why)
                self._spoil(key)

        try:
            self._sandbox.warm(blank, gone)
        except (ProjectError, OSError):
            log.info("no sandbox could be kept ready", exc_info=True)
            self._spoil(key)

    def _met(self, key: str, exchange: Exchange) -> None:
        """Called from the gateway's loop."""
        with self._lock:
            met = self._contacts.setdefault(key, [])
            if len(met) < _CONTACTS:
                met.append(exchange)
        self._spoil(key)

    def _spoil(self, key: str) -> None:
        with self._lock:
            self._policy.spoil(key, self._clock.monotonic())
        self._wake.set()


class _Door:
    """The way out of one waiting sandbox, from its socket to the run's door or to nothing."""

    def __init__(self, guard: Guard, record: Recorder) -> None:
        self._guard = guard
        self._record = record
        self._listener: socket.socket | None = None

    def open(self, listener: socket.socket) -> str:
        self._listener = listener
        self._guard.guard(listener, self._record)
        return ""

    def close(self) -> None:
        if self._listener is not None:
            self._guard.unguard(self._listener)
