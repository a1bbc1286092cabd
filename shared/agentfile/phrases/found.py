"""What every phrase reader returns, and the text they all read."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

Span = tuple[int, int]
Sentences = tuple[str, str]


class Refused(Exception):
    """The text asks for a schedule there is not. Args: one sentence in Korean, one in English."""

    def __init__(self, ko: str, en: str) -> None:
        super().__init__(ko)
        self.sentences: Sentences = (ko, en)


class Time(NamedTuple):
    """One time of day. `minutes` since midnight, None when the words leave two readings open."""

    span: Span
    minutes: int | None
    assumed: Sentences | None = None
    question: Sentences | None = None


class Days(NamedTuple):
    """Which days: cron's day, month and weekday fields; "" where the words leave that open.

    `marked`: the words say that it repeats ("매주", "every", "마다"); unmarked ones may be mere content.
    """

    span: Span
    day: str = "*"
    month: str = "*"
    weekday: str = "*"
    marked: bool = True
    assumed: Sentences | None = None
    question: Sentences | None = None


class Interval(NamedTuple):
    """Every so many minutes: `minute` and `hour` are cron fields."""

    span: Span
    minute: str
    hour: str = "*"


_ADDRESS = re.compile(r"https?://\S+|\S+@\S+\.\S+|`[^`]*`", re.ASCII)


def readable(text: str) -> tuple[str, str]:
    """The text in NFC, and the same with addresses and quoted code blanked out, lower case, equally long."""
    plain = unicodedata.normalize("NFC", text)
    # Only ASCII is lowered: other letters may change length.
    lowered = "".join(c.lower() if c.isascii() else c for c in plain)
    return plain, _ADDRESS.sub(lambda match: " " * len(match.group()), lowered)
