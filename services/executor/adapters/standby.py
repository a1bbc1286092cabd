"""A sandbox that waits, seen from the executor: it imports, says "ready", and becomes one run or none.

What is said before the run is bound comes from package code: a listening socket first, "ready" next, and
anything else ends it.
"""

from __future__ import annotations

import logging
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from services.executor.adapters.attempt import Attempt, Ends, hear
from services.executor.adapters.job import Guest, settle
from services.executor.ports import AttemptSink, EndReason, Order, Waiting, shape

# Decision: pandas takes half a second on a quiet machine; what takes this long is not worth waiting for.
_WARMING_S = 30.0
log = logging.getLogger(__name__)


class Standby:
    """`kill` must lead to a call of over(), as must the sandbox's own end. `on_gone(why)` is called once, from
    its thread, when it ended without a run; `why` is empty when it was told to."""

    def __init__(
        self,
        id: str,
        order: Order,
        ends: Ends,
        guest: Guest,
        kill: Callable[[EndReason], None],
        on_gone: Callable[[str], None],
    ) -> None:
        self.id = id
        self.order = order
        self.shape = (shape(order), order.egress is None)
        self.memory_bytes = 0
        self.ready = False
        self._ends = ends
        self._guest = guest
        self._kill = kill
        self._on_gone = on_gone
        self._lock = threading.Lock()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._listener: socket.socket | None = None
        self._attempt: Attempt | None = None
        self._told_to_end = False
        self._deaf = False
        self._over = False
        self._why = ""
        self._thread = threading.Thread(target=self._run, name=f"standby-{id}", daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    def take(self, order: Order, sink: AttemptSink, again: Callable[[], None]) -> Attempt | None:
        """It is this run's now, or None when it cannot be any more. `start` follows. `again`: see Attempt."""
        with self._lock:
            ending = self._over or self._told_to_end or self._why
            if not self.ready or ending or self._attempt is not None:
                return None
            self._attempt = Attempt(order, sink, self._ends, self._guest, self._kill, again)
            return self._attempt

    def start(self) -> None:
        """Hand the run in, from the caller's thread: waking ours first would cost the run a moment."""
        if self._attempt is not None:
            self._attempt.bind(self._listener)
            self._stir()

    def cool(self) -> None:
        with self._lock:
            if self._attempt is not None:
                return
            self._told_to_end = True
        self._kill("stopped")

    def over(self, *, told: bool = False) -> None:
        """All of the sandbox is dead; of one that was taken its attempt is told. `told`: by no fault of its own."""
        with self._lock:
            self._over = True
            self._told_to_end = self._told_to_end or told
        self._stir()

    def _stir(self) -> None:
        """Never once `_wake` is closed: its number may be somebody else's by then, and they would get our bytes."""
        with self._lock:
            if not self._deaf:
                os.eventfd_write(self._wake, 1)

    def _run(self) -> None:
        try:
            self._wait()
        except Exception:
            log.exception("waiting sandbox %s: its reader failed", self.id)
            self._spoil("its reader failed")
            self._last_wait()
        with self._lock:
            self._deaf = True
            os.close(self._wake)
        if self._attempt is not None:
            self._attempt.serve()
            return
        for fd in (self._ends.stdout, self._ends.stderr, self._ends.report):
            os.close(fd)
        self._ends.job.close()
        self._on_gone("" if self._told_to_end else self._why or "it ended")

    def _spoil(self, why: str) -> None:
        self._why = self._why or why
        self._kill("stopped")

    def _wait(self) -> None:
        """Until it is a run's or dead."""
        if self.order.egress is None:
            self._settle()
        job = self._ends.job
        until = time.monotonic() + _WARMING_S
        with selectors.DefaultSelector() as selector:
            selector.register(job, selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ)
            while True:
                late = None if self.ready or self._why else max(0.0, until - time.monotonic())
                ready = {key.fileobj for key, _events in selector.select(late)}
                with self._lock:
                    if self._attempt is not None or self._over:
                        return
                if not ready and late is not None:
                    self._spoil(f"importing took longer than {_WARMING_S:.0f} s")
                if job in ready and not self._hear():
                    selector.unregister(job)

    def _last_wait(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake, selectors.EVENT_READ)
            while not self._over and self._attempt is None:
                selector.select()

    def _hear(self) -> bool:
        """False when there is nothing more to hear."""
        said, listener = hear(self._ends.job)
        if listener is not None and self._listener is None and self.order.egress is not None:
            self._listener = listener
            self.order.egress(listener)
            self._settle()
            return True
        if listener is not None:
            listener.close()
        if said == b"ready" and not self.ready and not self._why:
            with self._lock:
                self.ready = True
            return True
        self._spoil("it spoke out of turn" if said else "it closed its door")
        return bool(said)

    def _settle(self) -> None:
        with suppress(OSError):  # dead already; its end is on the way
            self._ends.job.sendall(settle(self.order, self._guest, wait=True))


class Standbys:
    """Those of one sandbox backend. Thread-safe."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._all: dict[str, Standby] = {}
        self._lock = threading.Lock()
        self._made = 0

    def new_id(self) -> str:
        with self._lock:
            self._made += 1
            return f"{self._prefix}{self._made}"

    def add(self, standby: Standby) -> None:
        with self._lock:
            self._all[standby.id] = standby

    def find(self, id: str) -> Standby | None:
        return self._all.get(id)

    def take(
        self, order: Order, sink: AttemptSink, again: Callable[[], None]
    ) -> tuple[Standby, Attempt] | None:
        """One that waits for such an order, now its own."""
        if not order.warm_key:
            return None
        wanted = (shape(order), order.egress is None)
        with self._lock:
            for id, standby in self._all.items():
                if standby.ready and standby.shape == wanted:
                    attempt = standby.take(order, sink, again)
                    if attempt is not None:
                        del self._all[id]
                        return standby, attempt
        return None

    def forget(self, id: str) -> Standby | None:
        with self._lock:
            return self._all.pop(id, None)

    def all(self) -> list[Standby]:
        with self._lock:
            return list(self._all.values())

    def measured(self, found: dict[str, int]) -> None:
        with self._lock:
            for id, size in found.items():
                if id in self._all:
                    self._all[id].memory_bytes = size

    def waiting(self) -> tuple[Waiting, ...]:
        return tuple(Waiting(one.id, one.order.warm_key, one.ready, one.memory_bytes) for one in self.all())
