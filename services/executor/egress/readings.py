"""What one run has read so far, kept a while to answer one question: was this host's name in it?"""

from __future__ import annotations

import zlib
from collections import deque

_KEPT_BYTES = 2 << 20
_OPENED_BYTES = 8 << 20


class Readings:
    """Bounded; the oldest go first. Nothing is searched until somebody asks, which is rare."""

    def __init__(self) -> None:
        self._answers: deque[bytearray] = deque()
        # Bytes kept.
        self.size = 0

    def begin(self) -> None:
        """A new answer."""
        self._answers.append(bytearray())

    def add(self, data: bytes) -> None:
        """More of it, as it came."""
        self._answers[-1] += data[: _KEPT_BYTES // 4]
        self.size += min(len(data), _KEPT_BYTES // 4)
        while self.size > _KEPT_BYTES and len(self._answers) > 1:
            self.size -= len(self._answers.popleft())
        if self.size > _KEPT_BYTES:
            over = self.size - _KEPT_BYTES
            del self._answers[0][:over]
            self.size -= over

    def mention(self, host: str) -> bool:
        name = host.lower().encode()
        return any(name in _opened(bytes(answer)).lower() for answer in self._answers)


def _opened(data: bytes) -> bytes:
    if data[:2] != b"\x1f\x8b":
        return data
    try:
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(data, _OPENED_BYTES)
    except zlib.error:
        return data
