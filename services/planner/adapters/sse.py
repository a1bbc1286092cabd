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
    for line in _lines(chunks):
        if not line and data:
            yield "\n".join(data)
            data = []
        elif line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
            if sum(map(len, data)) > LARGEST_CHARS:
                raise ValueError("an event without end")


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Ends are LF, CR LF or CR, which may lie in two chunks; an unfinished last line is left out."""
    decode = codecs.getincrementaldecoder("utf-8")().decode
    rest = ""
    for chunk in chunks:
        rest += decode(chunk)
        whole = rest[:-1] if rest.endswith("\r") else rest  # its LF may come with the next chunk
        *lines, tail = whole.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        rest = tail + rest[len(whole) :]
        if len(rest) > LARGEST_CHARS:
            raise ValueError("a line without end")
        yield from lines
