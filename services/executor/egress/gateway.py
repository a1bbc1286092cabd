"""The egress gateway: one event loop in one thread that serves the listening sockets of all runs.

Read next: `model.py` (what a run may), `forwarder.py` (what happens to a request).
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from services.executor.egress.door import Door
from services.executor.egress.model import EgressReport, EgressRun, Recorder
from services.executor.egress.practice.site import PracticeSite
from services.executor.egress.upstream import Outside
from services.executor.egress.waiting import WaitingDoor
from shared.clock import Clock, SystemClock
from shared.errors import Conflict
from shared.net.allowance import NO_ALLOWANCE, Allowance
from shared.net.resolver import Resolver, system_resolver
from shared.net.tls import client_context

_T = TypeVar("_T")
# For name lookups, secrets and announcements of writes, which block.
_THREADS = 16
_ANSWER_S = 10


class EgressGateway:
    """`EgressGateway(allowance=Allowance.parse(setting, blocked_ports=own_ports))`; everything else has
    the default meant for production. Making one starts nothing; the first `open` starts the thread, `stop`
    ends it. All methods may be called from any thread except the gateway's own (a recorder must not call
    them), and block briefly.

    The usual life: `Order.egress = lambda listener: gateway.open(run, listener)`, and after the attempt
    ended `report = gateway.close(run.id)`.

    resolver  asks the name service; replaced in tests
    tls       client context that verifies upstream certificates; shared by all connections
    """

    def __init__(
        self,
        allowance: Allowance = NO_ALLOWANCE,
        *,
        resolver: Resolver = system_resolver,
        tls: ssl.SSLContext | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="egress-blocking")
        self._outside = Outside(allowance, resolver, tls or client_context(), self._threads)
        self._practice = PracticeSite()
        self._lock = threading.Lock()
        self._doors: dict[str, Door] = {}
        self._guards: dict[socket.socket, WaitingDoor] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopped = False

    def open(self, run: EgressRun, listener: socket.socket | None) -> str:
        """Serves `run` on a bound and listening stream socket, which now belongs to the gateway, and
        returns the PEM of the certificate authority its code must trust. Takes some milliseconds. listener None:
        its connections come by `join`.

        Raises: Conflict when a run of that id is open or the gateway has stopped (the listener stays the
        caller's).
        """
        with self._lock:
            if self._stopped:
                raise Conflict("the egress gateway has stopped")
            if run.id in self._doors:
                raise Conflict(f"run {run.id} is open already")
            loop = self._loop or self._start()
            door = Door(run, listener, self._outside, self._practice, self._clock)
            self._doors[run.id] = door
            guard = self._guards.pop(listener, None) if listener is not None else None
        # Not waited for, the run begins the sooner; what is asked of the loop later comes after it.
        loop.call_soon_threadsafe(_succeed, guard, door)
        return door.ca_pem

    def join(self, run_id: str, connection: socket.socket) -> bool:
        """Gives a run a connection, which is the gateway's from now on; False, and it stays the caller's, when no run
        of that id is open. Does not wait."""
        with self._lock:
            door, loop = self._doors.get(run_id), self._loop
            if door is None or loop is None:
                return False
            loop.call_soon_threadsafe(door.join, connection)
        return True

    def guard(self, listener: socket.socket, record: Recorder) -> None:
        """Refuses and records whoever speaks on a listening socket that belongs to no run yet; it belongs to
        the gateway until `open` gives it to a run or `unguard` closes it. Raises: Conflict after `stop`."""
        with self._lock:
            if self._stopped:
                raise Conflict("the egress gateway has stopped")
            loop = self._loop or self._start()
            guard = self._guards[listener] = WaitingDoor(listener, record, self._clock)
        self._on_loop(loop, guard.open())

    def unguard(self, listener: socket.socket) -> None:
        """Closes a guarded socket. One that is a run's by now, or closed, is left alone."""
        with self._lock:
            guard, loop = self._guards.pop(listener, None), self._loop
        if guard is not None and loop is not None:
            self._on_loop(loop, guard.end())

    def close(self, run_id: str) -> EgressReport:
        """Ends all connections of the run and returns its totals. What was under way is recorded as
        failed, reason `run_ended`, before this returns; no record follows. Unknown and already closed
        runs get an empty report."""
        with self._lock:
            door, loop = self._doors.pop(run_id, None), self._loop
        if door is None or loop is None:
            return EgressReport(run_id)
        return self._on_loop(loop, door.close())

    def stop(self) -> None:
        """Closes all runs and ends the threads, for good. May be called twice."""
        with self._lock:
            self._stopped = True
        for run_id in list(self._doors):
            self.close(run_id)
        for listener in list(self._guards):
            self.unguard(listener)
        with self._lock:
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(_ANSWER_S)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _start(self) -> asyncio.AbstractEventLoop:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=_serve, args=(self._loop,), name="egress", daemon=True)
        self._thread.start()
        return self._loop

    def _on_loop(self, loop: asyncio.AbstractEventLoop, step: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(step, loop).result(_ANSWER_S)


def _succeed(guard: WaitingDoor | None, door: Door) -> None:
    """In one step of the loop, so that nobody is refused by the one and not heard by the other. A callback and
    no task: a task's first step comes a turn later, and in that turn the guard could take, and break off, the
    first connection of the run itself."""
    if guard is not None:
        guard.close()
    door.open()


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()
