"""Readings of a clock within text. A replay does not wait as long as the recorded run did, so its clock, which
starts at the same moment, shows other times; what differs in nothing else is told apart by this. Pure."""

from __future__ import annotations

import re

_READING = re.compile(
    r"\d{4}-\d\d-\d\d[T _]\d\d[:-]?\d\d(?:[:-]?\d\d(?:[.,]\d+)?)?"  # 2026-11-22T09:00:00.5
    r"|(?<!\d)\d\d:\d\d:\d\d(?:[.,]\d+)?(?!\d)"  # 09:00:00
    r"|(?<!\d)20\d{6}[T_]?\d{6}(?!\d)"  # 20261122090000
    r"|(?<![\d.])1\d{9}(?:\d{3}|\d{6}|\d{9})?(?:\.\d+)?(?![\d.])"  # seconds since 1970 and parts of them
)


def blurred(text: str) -> str:
    return _READING.sub("<time>", text)
