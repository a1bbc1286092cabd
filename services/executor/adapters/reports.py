"""The report pipe's reader: hostile bytes in, capped claims out."""

from __future__ import annotations

import json
from collections.abc import Iterator

_LINE_BYTES = 64 << 10
_ENTRIES = 10_000
_DEPTH = 8
_KINDS = ("step", "deliver", "bound")


def _depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


def _entry(line: bytes) -> dict[str, object] | None:
    try:
        value = json.loads(line)
        if isinstance(value, dict) and value.get("kind") in _KINDS and _depth(value) <= _DEPTH:
            return value
    except (ValueError, RecursionError):
        pass
    return None


class ReportReader:
    """Lines that are too many, too deep, no JSON or of no known kind are dropped without a word; of the first
    that is too long there is word: {"kind": "cut"}, which no line can say by itself."""

    def __init__(self) -> None:
        self._buffer = b""
        self._skipping = False
        self.left = _ENTRIES  # how many more are let through
        self._told = False

    def feed(self, data: bytes) -> Iterator[dict[str, object]]:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            whole, self._skipping = not self._skipping, False
            if whole and len(line) <= _LINE_BYTES and self.left > 0:
                entry = _entry(line)
                if entry is not None:
                    self.left -= 1
                    yield entry
            elif whole and len(line) > _LINE_BYTES:
                yield from self._cut()
        if len(self._buffer) > _LINE_BYTES:
            self._buffer, self._skipping = b"", True
            yield from self._cut()

    def _cut(self) -> Iterator[dict[str, object]]:
        if not self._told:
            self._told = True
            yield {"kind": "cut"}
