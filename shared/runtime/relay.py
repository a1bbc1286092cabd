"""Carries a service's outbox to the bus: at once where the bus is on this machine, else in a thread of its own.
What could not be sent stays where it is, and the thread tries again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from shared.bus.port import Bus
from shared.clock import Clock
from shared.errors import Unavailable
from shared.events.envelope import Envelope
from shared.store.port import Store

_BATCH = 100
_IDLE_S = 5.0
_BACKOFF_S = 0.5
_UNMARKED = 64  # events that a death makes come again, which every handler survives

log = logging.getLogger(__name__)


class Relay:
    """Published then marked sent: a death in between publishes twice, which every handler survives."""

    def __init__(self, service: str, store: Store, bus: Bus, clock: Clock) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._stopping = threading.Event()
        self._watch = store.watch(["_outbox"])
        self._lock = threading.Lock()
        self._carried: list[str] = []
        self._thread = threading.Thread(target=self._run, name=f"relay-{service}", daemon=True)

    def start(self) -> None:
        if self._bus.local:
            self._store.on_emitted(self._carry)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._watch.close()
        if self._thread.ident is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                if not self.send_once():
                    self._watch.wait(_IDLE_S)
            except Unavailable as error:
                log.warning("the bus did not take events: %s", error.detail)
                self._clock.wait(self._stopping, _BACKOFF_S)
            except Exception:
                # A defect in an adapter must not end the only thread that carries this service's events.
                log.exception("the relay failed and goes on")
                self._clock.wait(self._stopping, _BACKOFF_S)

    def send_once(self) -> bool:
        """True when there may be more. What is committed meanwhile wakes the watch: no need to look again."""
        with self._lock:
            self._mark_carried()
            envelopes = self._store.outbox(_BATCH)
            if envelopes:
                self._bus.publish(envelopes)
                self._store.mark_sent([e.id for e in envelopes])
        return len(envelopes) == _BATCH

    def _carry(self, envelopes: Sequence[Envelope]) -> bool:
        """In the committing thread, which is quicker than waking another. False: the thread has to try."""
        if self._stopping.is_set():
            return False
        try:
            with self._lock:
                self._bus.publish(envelopes)
                self._carried += [e.id for e in envelopes]
                if len(self._carried) >= _UNMARKED:
                    self._mark_carried()
        except Unavailable as error:
            log.warning("the bus did not take events: %s", error.detail)
            return False
        except Exception:
            # A defect in an adapter is none of who committed.
            log.exception("events could not be carried at once")
            return False
        return True

    def _mark_carried(self) -> None:
        if self._carried:
            self._store.mark_sent(self._carried)
            self._carried = []
