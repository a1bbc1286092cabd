"""Decoy secrets: nothing and nobody has a use for their values, so a program that passes one on is stealing.

A tripwire, not a wall: no real secret is in a sandbox at all. `SPELLINGS` says what is seen.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from urllib.parse import unquote_to_bytes

from shared.ids import Ids

SPELLINGS: Final = (
    "as it is, in capitals, backwards, in hexadecimal of either case, in base64 or its URL form at any "
    "alignment, percent-encoded in an address, over several labels of a host name; inside gzip, zlib and "
    "zip; cut in two anywhere, also over two requests or two pieces of output. Not seen: encryption, "
    "codes of the program's own, cut in three or more, other compression, what is said by timing"
)

# Tempting to a thief, read by no library: tests/unit/executor/egress/test_decoys.py knows the names that are.
_VARIABLES = ("BACKUP_ADMIN_PASSWORD", "INTERNAL_MASTER_TOKEN")
_FILE = ".private/credentials.ini"
# Of one archive or compressed body: enough for documents and tables, and no bomb takes longer than a moment.
_UNPACKED_BYTES = 32 << 20


@dataclass(frozen=True)
class Decoy:
    """place: the variable or the file (below the working directory) that holds it. value: 24 characters, 120
    random bits, in lower case, so that a host name changes nothing about it."""

    place: str
    value: str

    @property
    def is_file(self) -> bool:
        return "/" in self.place


def fresh_decoys(ids: Ids) -> tuple[Decoy, ...]:
    """For one attempt alone."""
    return tuple(Decoy(place, ids.new("x").partition("_")[2]) for place in (*_VARIABLES, _FILE))


def variables(decoys: Iterable[Decoy]) -> dict[str, str]:
    return {decoy.place: decoy.value for decoy in decoys if not decoy.is_file}


def files(decoys: Iterable[Decoy]) -> dict[str, bytes]:
    """Path below the working directory -> content."""
    return {
        decoy.place: f"[backup]\nuser = admin\npassword = {decoy.value}\n".encode()
        for decoy in decoys
        if decoy.is_file
    }


class Tripwire:
    """Looks for decoys in bytes. Immutable and shared; false without decoys."""

    def __init__(self, decoys: Sequence[Decoy]) -> None:
        self._decoys = tuple(decoys)

    def __bool__(self) -> bool:
        return bool(self._decoys)

    @cached_property
    def _needles(self) -> tuple[tuple[bytes, str], ...]:
        return tuple(
            (needle, decoy.place)
            for decoy in self._decoys
            for half in _halves(decoy.value)
            for needle in sorted(_spelled(half))
        )

    @cached_property
    def overlap(self) -> int:
        """Bytes of the last piece to keep, so that none is missed between two pieces."""
        return max((len(needle) for needle, _ in self._needles), default=1) - 1

    def found(self, data: bytes) -> str:
        """The place of the first decoy in it; empty when there is none."""
        return next((place for needle, place in self._needles if needle in data), "")

    def found_in_text(self, text: str) -> str:
        return self.found(text.encode(errors="replace"))

    def found_in_address(self, target: bytes) -> str:
        """Of a path and query, or anything else that may be percent-encoded."""
        return self.found(target) or (self.found(unquote_to_bytes(target)) if b"%" in target else "")

    def found_in_host(self, name: str) -> str:
        """Also over several labels."""
        joined = name.lower().replace(".", "").replace("-", "")
        return self.found_in_text(f"{name.lower()} {joined}")


class StreamSearch:
    """A tripwire over a stream that arrives in pieces; a compressed one is opened as far as it is plain how.

    tail: the end of what another search has seen of it."""

    def __init__(self, tripwire: Tripwire, tail: bytes = b"") -> None:
        self._tripwire = tripwire
        self.tail = tail
        self._inflated_tail = b""
        self._inflater: zlib._Decompress | None = None
        self._left = _UNPACKED_BYTES
        # What has arrived before it was clear whether the stream is compressed; None from then on.
        self._start: bytes | None = None if tail else b""

    def feed(self, data: bytes) -> str:
        """As `Tripwire.found`, over everything fed so far."""
        if not self._tripwire or not data:
            return ""
        text = self.tail + data
        self.tail = text[-self._tripwire.overlap :]
        return self._tripwire.found(text) or self._inside(data)

    def _inside(self, data: bytes) -> str:
        if self._start is not None:
            data = self._start + data
            self._start = data if len(data) < 2 else None
            if self._start is None and _compressed(data):
                self._inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
        if self._inflater is None or self._left <= 0:
            return ""
        try:
            plain = self._inflater.decompress(data, self._left)
        except zlib.error:
            self._inflater = None
            return ""
        self._left -= len(plain)
        text = self._inflated_tail + plain
        self._inflated_tail = text[-self._tripwire.overlap :]
        return self._tripwire.found(text)


def _compressed(start: bytes) -> bool:
    """gzip, or a zlib header (RFC 1950: the two bytes are a multiple of 31)."""
    return start[:2] == b"\x1f\x8b" or (start[:1] == b"\x78" and int.from_bytes(start[:2], "big") % 31 == 0)


def _halves(value: str) -> tuple[str, str]:
    """Cut anywhere, one of them stays whole."""
    middle = len(value) // 2
    return value[:middle], value[middle:]


def _spelled(text: str) -> Iterator[bytes]:
    raw = text.encode()
    yield raw
    yield raw.upper()
    yield raw[::-1]
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for before in range(3):
        # One core for each position modulo three, without the characters that mix with its neighbours. Of
        # lower-case letters and digits base64 never makes a character that its URL form writes otherwise.
        coded = base64.b64encode(b"\0" * before + raw).rstrip(b"=")
        end = len(coded) if (before + len(raw)) % 3 == 0 else len(coded) - 1
        yield coded[(0, 2, 3)[before] : end]
