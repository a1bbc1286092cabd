"""Records one attempt: every exchange as the sandbox saw it, bounded. What is over a bound is left out, and the
tape says so; the attempt is not touched by it.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from services.executor.egress.model import Exchange
from services.executor.tapes.spool import BodyFile, Spool
from shared.blobs.port import Blobs
from shared.clock import Clock
from shared.ids import Ids
from shared.records.tapes import TapeEntry, TapeHead, TapeRecord
from shared.vault.tapes import CHUNK_BYTES, TapeKey, index_place

NO_BODY = hashlib.sha256().hexdigest()
# Sealed heads and entries up to this stand in the tape's document; most runs need no file at all.
_INLINE_BYTES = 4096


@dataclass(frozen=True)
class Bounds:
    """Of one tape. Decision: a run that moves more is rather a download than something to be looked at again."""

    body_bytes: int = 16 << 20
    tape_bytes: int = 64 << 20
    index_bytes: int = 4 << 20


BOUNDS = Bounds()


@dataclass(frozen=True)
class Shelf:
    """Where tapes of one agent go at present."""

    key: TapeKey
    agent_id: str
    prefix: str
    blobs: Blobs
    spool: Spool
    folder: Path
    ids: Ids
    clock: Clock


class TapePart(BaseModel):
    """What was recorded of an attempt in another process. began: seconds since 1970 that the entries' times count
    from. size: bytes of bodies."""

    model_config = ConfigDict(frozen=True)

    began: float
    size: int
    complete: bool
    entries: tuple[TapeEntry, ...]


class Recording:
    """One attempt's tape; `take` and what it gives are called on the gateway's loop, the rest by the end of the
    attempt, after the gateway has closed it."""

    def __init__(self, shelf: Shelf, setting: Literal["full", "headers"], bounds: Bounds = BOUNDS) -> None:
        self.setting = setting
        self.shelf = shelf
        self.bounds = bounds
        self.complete = True
        self._began_s = shelf.clock.monotonic()
        self.began_at = shelf.clock.now().timestamp()
        self._lock = threading.Lock()
        self._entries: list[TapeEntry] = []
        self._count = 0
        self._size = 0
        self._index_bytes = 0

    def take(self) -> RecordedTake:
        return RecordedTake(self)

    def number(self) -> int:
        self._count += 1
        return self._count

    def since_s(self) -> float:
        return round(self.shelf.clock.monotonic() - self._began_s, 6)

    def admits(self, size: int) -> bool:
        """Whether so many bytes more of bodies are kept."""
        if self._size + size > self.bounds.tape_bytes:
            self.complete = False
            return False
        self._size += size
        return True

    def add(self, entry: TapeEntry) -> None:
        size = len(entry.model_dump_json())
        with self._lock:
            if self._index_bytes + size > self.bounds.index_bytes:
                self.complete = False
                return
            self._index_bytes += size
            self.complete = self.complete and not entry.lost
            self._entries.append(entry)

    def entries(self) -> tuple[TapeEntry, ...]:
        """After the attempt: in the order in which they began."""
        if self._count and not self.shelf.spool.settle():
            self.complete = False
        with self._lock:
            return tuple(sorted(self._entries, key=lambda entry: entry.n))

    def part(self) -> TapePart:
        """All of it, for the process that finishes the tape. After the attempt."""
        entries = self.entries()
        return TapePart(began=self.began_at, size=self._size, complete=self.complete, entries=entries)

    def absorb(self, part: TapePart) -> None:
        """What another process recorded of this attempt, after what is here already."""
        later_s = part.began - self.began_at
        self.complete = self.complete and part.complete and self.admits(part.size)
        for entry in part.entries:
            moved = {"began_s": entry.began_s + later_s, "ended_s": entry.ended_s + later_s}
            self.add(entry.model_copy(update={"n": self.number(), **moved}))

    def finish(self, head: TapeHead, number: int, at: str, expires_at: str) -> TapeRecord:
        """Seals and stores everything but the document, which belongs into the commit that ends the attempt."""
        shelf, entries = self.shelf, self.entries()
        sealer = shelf.key.sealer(*index_place(head.run_id, head.attempt_id))
        sealed = sealer.all(_chunked([head.model_dump_json(), *(e.model_dump_json() for e in entries)]))
        inline = len(sealed) <= _INLINE_BYTES
        index_key = None if inline else f"{shelf.prefix}/t-{head.attempt_id}"
        if index_key is not None:
            shelf.blobs.put(index_key, sealed)
        return TapeRecord(
            id=head.attempt_id,
            workspace_id=shelf.key.workspace_id,
            run_id=head.run_id,
            agent_id=shelf.agent_id,
            number=number,
            key_id=shelf.key.id,
            setting=self.setting,
            prefix=shelf.prefix,
            index=base64.b64encode(sealed).decode() if inline else "",
            index_key=index_key,
            entries=len(entries),
            size=self._size + self._index_bytes,
            complete=self.complete,
            at=at,
            expires_at=expires_at,
        )


class _Body:
    """One direction of one exchange."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._file: BodyFile | None = None
        self.size = 0
        self.whole = False
        self.lost = False

    def feed(self, data: bytes) -> None:
        recording, shelf = self._recording, self._recording.shelf
        self.size += len(data)
        if not data or self.lost or recording.setting == "headers":
            return
        fits = self.size <= recording.bounds.body_bytes and recording.admits(len(data))
        if self._file is None and fits:
            self._file = BodyFile(
                shelf.key, shelf.agent_id, shelf.prefix, shelf.blobs, shelf.folder, shelf.ids
            )
        file = self._file
        if not fits or file is None or not shelf.spool.offer(len(data), lambda: file.feed(data)):
            self.lost = True
            if file is not None:
                shelf.spool.offer(0, file.discard)

    def finish(self) -> tuple[str | None, str]:
        """Address and SHA-256; on the spool's thread."""
        if self._file is None or self.lost:
            return None, NO_BODY if self.whole and self.size == 0 else ""
        address, digest = self._file.finish()
        return address, digest if self.whole else ""


class RecordedTake:
    """See egress.taping.Take."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._request, self._answer = _Body(recording), _Body(recording)
        self._known: dict[str, Any] = {}
        self._exchange: Exchange | None = None
        self._done = False
        self._n = 0
        self._began_s = recording.since_s()
        self._ended_s = self._began_s

    def asked(self, method: str, target: str, headers: Sequence[tuple[bytes, bytes]]) -> None:
        if method != "CONNECT":
            self._n = self._recording.number()
        self._known |= {"method": method, "request_headers": _texts(headers)}

    def sent(self, data: bytes) -> None:
        self._request.feed(data)

    def sent_all(self) -> None:
        self._request.whole = True

    def answered(self, status: int, phrase: str, headers: Sequence[tuple[bytes, bytes]]) -> None:
        self._known |= {"status": status, "phrase": phrase, "answer_headers": _texts(headers)}

    def got(self, data: bytes) -> None:
        self._answer.feed(data)

    def got_all(self) -> None:
        self._answer.whole = True
        self._ended_s = self._recording.since_s()
        self._close_when_done()

    def judged(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._close_when_done()

    def over(self) -> None:
        if not self._answer.whole:
            self._ended_s = self._recording.since_s()
        self._close()

    def _close_when_done(self) -> None:
        if self._answer.whole and self._exchange is not None:
            self._close()

    def _close(self) -> None:
        exchange = self._exchange
        if self._done:
            return
        self._done = True
        if exchange is None:
            return  # a CONNECT that led somewhere: what it led to is recorded by itself
        self._n = self._n or self._recording.number()
        known: dict[str, Any] = {
            "n": self._n,
            "method": exchange.method,
            "url": exchange.url,
            "verdict": exchange.verdict,
            "reason": exchange.reason,
            "effect": exchange.effect,
            "bytes_out": exchange.bytes_out,
            "bytes_in": exchange.bytes_in,
            **self._known,
            "request_size": self._request.size,
            "answer_size": self._answer.size,
            "began_s": self._began_s,
            "ended_s": self._ended_s,
            "broken": "status" in self._known and not self._answer.whole,
            "lost": self._request.lost or self._answer.lost,
        }
        self._recording.shelf.spool.offer(0, lambda: self._store(known))

    def _store(self, known: dict[str, Any]) -> None:
        request, request_digest = self._request.finish()
        answer, answer_digest = self._answer.finish()
        more = {"request_body": request, "request_sha256": request_digest}
        more |= {"answer_body": answer, "answer_sha256": answer_digest}
        self._recording.add(TapeEntry.model_validate({**known, **more}))


def _texts(headers: Sequence[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)


def _chunked(lines: list[str]) -> list[bytes]:
    chunks, held = [], bytearray()
    for line in lines:
        held += line.encode() + b"\n"
        if len(held) >= CHUNK_BYTES:
            chunks.append(bytes(held))
            held.clear()
    return [*chunks, bytes(held)] if held or not chunks else chunks
