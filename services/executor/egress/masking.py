"""Real secret values in answers become their placeholders again, in every usual encoding. Pure."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote, quote_plus

# Shorter values would be found everywhere by chance and ruin every answer.
_SHORTEST = 4
# A base64 core shorter than this says little about the value and appears by chance.
_SHORTEST_CORE = 6


class Mask:
    """What to look for: real value -> placeholder. Immutable and cheap to share."""

    def __init__(self, values: Mapping[str, str]) -> None:
        """`values` maps placeholder to real value."""
        self._replacements: dict[bytes, bytes] = {}
        for placeholder, value in values.items():
            for spelling in _spellings(value):
                self._replacements.setdefault(spelling, placeholder.encode())
        # Longest first, so that a spelling containing a shorter one is replaced whole.
        self._found = sorted(self._replacements, key=len, reverse=True)
        self._pattern = re.compile(b"|".join(re.escape(text) for text in self._found))

    def __bool__(self) -> bool:
        return bool(self._found)

    def apply(self, data: bytes) -> bytes:
        if not self._occurs(data):
            return data
        return self._pattern.sub(lambda match: self._replacements[match.group()], data)

    def last_match_end(self, data: bytes) -> int:
        """Where the last complete match ends; 0 when there is none."""
        if not self._occurs(data):
            return 0
        return max((match.end() for match in self._pattern.finditer(data)), default=0)

    def _occurs(self, data: bytes) -> bool:
        # Plain searches one by one are several times faster than the pattern, and mostly find nothing.
        return any(text in data for text in self._found)

    def held(self, data: bytes) -> int:
        """How many bytes at the end of `data` could be the start of a value that continues later."""
        longest = max((len(text) for text in self._found), default=1) - 1
        for size in range(min(longest, len(data)), 0, -1):
            tail = data[-size:]
            if any(len(text) > size and text.startswith(tail) for text in self._found):
                return size
        return 0


class MaskStream:
    """A mask over a body that arrives in pieces; holds back only what may be the start of a value.

    `mask` is asked anew for every piece: a value may come into use while a long answer is on its way.
    """

    def __init__(self, mask: Callable[[], Mask]) -> None:
        self._mask = mask
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        """What may be passed on now; possibly nothing."""
        mask, data = self._mask(), self._rest + data
        if not mask:
            return data
        # A complete match is passed on whole even when its end could begin another one.
        cut = max(len(data) - mask.held(data), mask.last_match_end(data))
        self._rest = data[cut:]
        return mask.apply(data[:cut])

    def end(self) -> bytes:
        """The held-back rest. Call once, after the last piece."""
        rest, self._rest = self._rest, b""
        return self._mask().apply(rest)


def _spellings(value: str) -> Iterator[bytes]:
    raw = value.encode()
    if len(raw) < _SHORTEST:
        return
    yield raw
    escaped = {quote(value, safe=""), quote(value), quote_plus(value), html.escape(value)}
    escaped |= {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    escaped |= {re.sub("%..", lambda m: m.group().lower(), text) for text in tuple(escaped) if "%" in text}
    escaped |= {raw.hex(), raw.hex().upper(), json.dumps(value)[1:-1].replace("/", "\\/")}
    yield from (text.encode() for text in escaped)
    yield from _base64_cores(raw)


def _base64_cores(raw: bytes) -> Iterator[bytes]:
    """How the value looks inside base64 of something longer: one core for each position modulo three,
    without the characters that mix with its neighbours."""
    for before in range(3):
        text = base64.b64encode(b"\0" * before + raw).rstrip(b"=")
        start = (0, 2, 3)[before]
        end = len(text) if (before + len(raw)) % 3 == 0 else len(text) - 1
        core = text[start:end]
        if len(core) >= _SHORTEST_CORE:
            yield core
            yield core.replace(b"+", b"-").replace(b"/", b"_")
