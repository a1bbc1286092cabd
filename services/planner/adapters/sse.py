"""Server-sent events out of bytes that arrive in any pieces."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator

LARGEST_CHARS = 8 << 20
"""An event longer than this is none; a real one holds a few words, at most one block."""


def data_of(chunks: Iterable[bytes]) -> Iterator[str]:
    """The data of every event, in order; comments, names and ids are left out, and so is an event that the
    end cut off. Raises: ValueError when an event grows beyond LARGEST_CHARS or is no UTF-8."""
    data: list[str] = []
    size = 0
    for line in _lines(chunks):
        if not line and data:
            yield "\n".join(data)
            data, size = [], 0
        elif line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
            size += len(line)
            if size > LARGEST_CHARS:
                raise ValueError("an event without end")


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Ends are LF, CR LF or CR; an unfinished last line is left out."""
    decode = codecs.getincrementaldecoder("utf-8")().decode
    begun: list[str] = []
    size = 0
    after_cr = False  # its LF may come with the next chunk
    for text in filter(None, map(decode, chunks)):
        fresh = text.removeprefix("\n") if after_cr else text
        after_cr = text.endswith("\r")
        *lines, tail = fresh.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for line in lines:
            yield "".join((*begun, line))
            begun, size = [], 0
        begun.append(tail)
        size += len(tail)
        if size > LARGEST_CHARS:
            raise ValueError("a line without end")
