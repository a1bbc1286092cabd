"""Subtitles (SubRip, WebVTT) as a table: one row per cue, `start` and `end` in seconds, `text` in one line.

Part of the checker's program: standard library only, hostile bytes in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.executor.checker.tables import Row, decoded, table_facts
else:  # inside the sandbox this folder is all there is
    from tables import Row, decoded, table_facts

_TIME = r"(?:(\d{1,3}):)?(\d{2}):(\d{2})[.,](\d{3})"
_CUE = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?", re.ASCII)


def read_cues(data: bytes) -> dict[str, Any]:
    """A file without cues is a table without rows."""
    return table_facts(["start", "end", "text"], _cues(decoded(data)))


def _cues(text: str) -> Iterator[Row]:
    times: list[str] = []
    words: list[str] = []
    for line in text.splitlines():
        cue = _CUE.fullmatch(line[:200])
        if (cue or not line.strip()) and times:
            yield [*times, " ".join(words)]
            times, words = [], []
        if cue:
            times = [_seconds(cue.groups()[:4]), _seconds(cue.groups()[4:])]
        elif times and line.strip():
            words.append(line.strip())
    if times:
        yield [*times, " ".join(words)]


def _seconds(parts: tuple[str | None, ...]) -> str:
    hours, minutes, seconds, thousandths = (int(part or 0) for part in parts)
    return f"{hours * 3600 + minutes * 60 + seconds}.{thousandths:03d}"
