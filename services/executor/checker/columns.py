"""What is kept of one column while a table is read: counts, bounds, and a few values; never all of them.

Part of the checker's program: standard library only, hostile bytes in.
"""

from __future__ import annotations

import re
from array import array
from datetime import UTC, datetime
from statistics import median
from typing import Any

MAX_VALUES = 50
MAX_VALUE = 120
MAX_NAME = 120
MAX_NUMBERS = 4096
# Different values that are told apart in one table, all columns together: about 100 bytes each while it is read.
MAX_DISTINCT = 600_000

_NUMBER = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?|-?\d{1,15}(\.\d{1,15})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?)?", re.ASCII)
_LINK = re.compile(r"https?://[^\s/?#\"'<>]+\.[^\s\"'<>]+", re.IGNORECASE)
_LETTER = re.compile(r"[^\W\d_]")


class Distinct:
    """How many more values the columns of a table may remember."""

    def __init__(self) -> None:
        self.left = MAX_DISTINCT


class Spaced:
    """Evenly spaced ones of however many numbers: every second is dropped whenever there are too many."""

    def __init__(self) -> None:
        self._kept: array[float] = array("d")
        self._heard, self._stride = 0, 1

    def add(self, number: float) -> None:
        if self._heard % self._stride == 0:
            self._kept.append(number)
            if len(self._kept) > MAX_NUMBERS:
                self._kept = self._kept[::2]
                self._stride *= 2
        self._heard += 1

    def median(self) -> float | None:
        return float(median(self._kept)) if self._kept else None


class Column:
    """Running statistics of one column. `budget` is shared by the columns of a table."""

    def __init__(self, name: str, budget: Distinct) -> None:
        self.name = name[:MAX_NAME]
        self._budget = budget
        self.filled = self.numbers = self.dates = self.links = self.texts = 0
        self.low: float | None = None
        self.high: float | None = None
        self.spaced = Spaced()
        self.values: dict[str, None] = {}
        self.more_values = False
        self.newest: tuple[datetime, str] | None = None
        self._known: set[int] | None = set()

    def add(self, text: str) -> None:
        text = text.strip()
        if not text:
            return
        self.filled += 1
        self._sort(text)
        if text[:MAX_VALUE] not in self.values:
            if len(self.values) < MAX_VALUES and len(text) <= MAX_VALUE:
                self.values[text] = None
            else:
                self.more_values = True
        if self._known is not None:
            before = len(self._known)
            self._known.add(hash(text))
            self._budget.left -= len(self._known) - before
            if self._budget.left < 0:
                self._budget.left += len(self._known)
                self._known = None

    def _sort(self, text: str) -> None:
        if _NUMBER.fullmatch(text):
            number = float(text.replace(",", ""))
            self.numbers += 1
            self.low = number if self.low is None else min(self.low, number)
            self.high = number if self.high is None else max(self.high, number)
            self.spaced.add(number)
        elif _DATE.fullmatch(text):
            self._date(text)
        elif text[:4].lower() == "http" and _LINK.fullmatch(text):
            self.links += 1
        elif _LETTER.search(text):
            self.texts += 1

    def _date(self, text: str) -> None:
        try:
            moment = datetime.fromisoformat(text)
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            return
        self.dates += 1
        if self.newest is None or moment > self.newest[0]:
            self.newest = (moment, text)

    def facts(self, rows: int) -> dict[str, Any]:
        distinct = None if self._known is None else len(self._known)
        return {
            "name": self.name,
            "empty": rows - self.filled,
            "numbers": self.numbers,
            "low": self.low,
            "high": self.high,
            "median": self.spaced.median(),
            "values": list(self.values),
            "more_values": self.more_values,
            "newest": self.newest[1] if self.newest else None,
            "dates": self.dates,
            "links": self.links,
            "texts": self.texts,
            "distinct": distinct,
            "repeats": None if distinct is None else self.filled - distinct,
        }
