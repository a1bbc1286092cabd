"""Bodies on their way to a tape: hashed, sealed and stored by one thread, so that no exchange waits for it."""

from __future__ import annotations

import hashlib
import logging
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from shared.blobs.port import Blobs
from shared.ids import Ids
from shared.vault.tapes import CHUNK_BYTES, TapeKey, body_head, body_key, body_place

# What may wait to be written, over all runs of this machine; beyond it bodies are not kept.
_WAITING_BYTES = 32 << 20
_SETTLE_S = 20.0

log = logging.getLogger(__name__)


class Spool:
    """Work in the order it was offered. Starts its thread with the first piece of work."""

    def __init__(self, waiting_bytes: int = _WAITING_BYTES) -> None:
        self._room = waiting_bytes
        self._waiting = 0
        self._queue: queue.SimpleQueue[tuple[int, Callable[[], None]] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def offer(self, size: int, work: Callable[[], None]) -> bool:
        """False when too much is waiting already; `work` is then never called. Never blocks."""
        with self._lock:
            if size and self._waiting + size > self._room:
                return False
            self._waiting += size
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="tape-spool", daemon=True)
                self._thread.start()
        self._queue.put((size, work))
        return True

    def settle(self) -> bool:
        """Wait until all that was offered so far is done; False when that took too long."""
        done = threading.Event()
        self.offer(0, done.set)
        return done.wait(_SETTLE_S)

    def close(self) -> None:
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            thread.join(_SETTLE_S)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            size, work = item
            try:
                work()
            except Exception:
                log.exception("a piece of a tape was lost")
            with self._lock:
                self._waiting -= size


class BodyFile:
    """One body, sealed from its first byte on. A small one never touches the spool's folder. On the spool's
    thread only."""

    def __init__(
        self, key: TapeKey, agent_id: str, prefix: str, blobs: Blobs, folder: Path, ids: Ids
    ) -> None:
        self._blobs = blobs
        self._prefix = prefix
        self._folder = folder
        self._ids = ids
        self._head, name = body_head()
        self._sealer = key.sealer(*body_place(agent_id, name))
        self._address = key.addressing(agent_id)
        self._digest = hashlib.sha256()
        self._held = bytearray()
        self._chunks = 0
        self._path: Path | None = None
        self._file: BinaryIO | None = None

    def feed(self, data: bytes) -> None:
        self._address.update(data)
        self._digest.update(data)
        self._held += data
        while len(self._held) > CHUNK_BYTES:
            self._write(bytes(self._held[:CHUNK_BYTES]), last=False)
            del self._held[:CHUNK_BYTES]

    def finish(self) -> tuple[str, str]:
        """Its address, where it now lies unless an equal one did already, and its SHA-256."""
        address = self._address.hexdigest()
        key = body_key(self._prefix, address)
        there = self._blobs.info(key) is not None
        if self._file is None:
            if not there:
                self._blobs.put(key, self._head + self._sealer.seal(0, bytes(self._held), last=True))
        else:
            self._write(bytes(self._held), last=True)
            self._file.close()
            if not there and self._path is not None:
                self._blobs.put_file(key, self._path)
        self.discard()
        return address, self._digest.hexdigest()

    def discard(self) -> None:
        self._held.clear()
        if self._file is not None:
            self._file.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _write(self, plain: bytes, *, last: bool) -> None:
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._path = self._folder / self._ids.new("body")
            self._file = self._path.open("xb")
            self._file.write(self._head)
        self._file.write(self._sealer.seal(self._chunks, plain, last=last))
        self._chunks += 1
