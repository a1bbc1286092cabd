"""What one run found out, source by source; the tables and the report are all made from this. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .compare import Comparison
from .item import Item


@dataclass(frozen=True)
class Source:
    """`feed`: the feed to read when the page itself states no entries; "" when there is none."""

    name: str
    address: str
    feed: str = ""


@dataclass(frozen=True)
class Reading:
    """One source's day. `status` is "ok" or the short name of what went wrong; then `items` is empty and the
    comparison None."""

    source: Source
    status: str
    detail: str = ""
    kind: str = "none"
    items: tuple[Item, ...] = ()
    comparison: Comparison | None = None


@dataclass(frozen=True)
class Row:
    """A line of items.csv. `change`: first (baseline) · new · changed · gone · same."""

    source: str
    change: str
    item: Item
    before: Item | None = None


@dataclass(frozen=True)
class Day:
    date: str
    readings: tuple[Reading, ...] = field(default=())

    @property
    def failed(self) -> tuple[Reading, ...]:
        return tuple(reading for reading in self.readings if reading.status != "ok")

    @property
    def is_first(self) -> bool:
        """Nothing could be compared: every source that was read is a baseline."""
        compared = [reading.comparison for reading in self.readings if reading.comparison]
        return bool(compared) and all(comparison.first for comparison in compared)

    def rows(self) -> Iterator[Row]:
        """News first within a source, then what stayed."""
        for reading in self.readings:
            yield from rows_of(reading)

    def count(self, change: str) -> int:
        return sum(row.change == change for row in self.rows())


def rows_of(reading: Reading) -> Iterator[Row]:
    comparison, name = reading.comparison, reading.source.name
    if comparison is None:
        return
    if comparison.first:
        yield from (Row(name, "first", item) for item in reading.items)
        return
    yield from (Row(name, "new", item) for item in comparison.new)
    for change in comparison.changed:
        if change.after is not None:
            yield Row(name, "changed", change.after, change.before)
    yield from (Row(name, "gone", item) for item in comparison.gone)
    told = {*comparison.new, *(change.after for change in comparison.changed)}
    yield from (Row(name, "same", item) for item in reading.items if item not in told)
