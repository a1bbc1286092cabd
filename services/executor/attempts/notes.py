"""What is seen at one attempt's door, written down for the process that records the attempt: soon and in order."""

from __future__ import annotations

import logging
import threading

from services.executor.attempts.doors import NOTE_BYTES, DoorRecord, write_note
from services.executor.egress.model import Exchange
from shared.clock import Clock
from shared.errors import ProjectError
from shared.store.port import Cause, Store, Tx

_PAUSE_S = 0.3  # design, section 5
_RETRY_S = 2.0
_LAST_TRIES = 5
# Beside the body's preview: names, numbers, and what of the address is kept.
_OTHER_BYTES = 1000

log = logging.getLogger(__name__)


class Notes:
    """holder: the process that writes. Starts a thread with the first exchange."""

    def __init__(self, store: Store, clock: Clock, door: DoorRecord, holder: str) -> None:
        self._store = store
        self._clock = clock
        self._door = door
        self._holder = holder
        self._seen: list[Exchange] = []
        self._written = 0
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self.requests = 0
        self.moved_bytes = 0

    def add(self, exchange: Exchange) -> None:
        """The gateway's recorder: only remembers."""
        with self._changed:
            self.requests += 1
            self.moved_bytes += exchange.bytes_out + exchange.bytes_in
            self._seen.append(exchange)
            if self._thread is None:
                self._thread = threading.Thread(target=self._write_all, name="door-notes", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """Everything is written when this returns, unless the store refused it."""
        self._closing.set()
        with self._changed:
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _write_all(self) -> None:
        tries_left = _LAST_TRIES
        while True:
            with self._changed:
                while not self._seen and not self._closing.is_set():
                    self._changed.wait()
                if not self._seen:
                    return
                piece = _fitting(self._seen)
            try:
                self._write(piece)
            except ProjectError as error:
                log.warning("attempt %s: what left it is not written yet: %s", self._door.id, error.detail)
                tries_left -= self._closing.is_set()
                if tries_left == 0:
                    log.exception("attempt %s: what left it was not written", self._door.id)
                    return
                self._clock.wait(threading.Event(), _RETRY_S)
                continue
            with self._changed:
                del self._seen[: len(piece)]
            self._clock.wait(self._closing, _PAUSE_S)

    def _write(self, piece: list[Exchange]) -> None:
        number = self._written

        def work(tx: Tx) -> None:
            write_note(tx, self._door, self._holder, number, piece)

        self._store.transact(work, cause=Cause(self._door.workspace_id, "service:executor"))
        self._written += 1


def _fitting(seen: list[Exchange]) -> list[Exchange]:
    """As many from the beginning as one note takes; at least one."""
    size, count = 0, 0
    for exchange in seen:
        size += len(exchange.body_preview) * 4 // 3 + len(exchange.url) + _OTHER_BYTES
        if count and size > NOTE_BYTES:
            break
        count += 1
    return seen[:count]
