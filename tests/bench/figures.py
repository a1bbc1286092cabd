"""What was measured, as values: samples, and rows of the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Samples:
    """At least one value, all in `unit`."""

    values: tuple[float, ...]
    unit: str = "ms"

    @classmethod
    def of(cls, values: Sequence[float], unit: str = "ms") -> Samples:
        return cls(tuple(sorted(values)), unit)

    @property
    def least(self) -> float:
        return self.values[0]

    def at(self, share: float) -> float:
        """The value below which that share of the samples lies, nearest rank."""
        return self.values[min(len(self.values) - 1, int(len(self.values) * share))]

    @property
    def median(self) -> float:
        return self.at(0.5)

    def text(self) -> str:
        if len(self.values) == 1:
            return f"{number(self.median)} {self.unit}"
        shown = " / ".join(number(value) for value in (self.least, self.median, self.at(0.95)))
        return f"{shown} {self.unit} (n {len(self.values)})"


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


@dataclass(frozen=True)
class Limit:
    """What nobody on this machine could be better than, measured in the same run."""

    what: str
    samples: Samples


@dataclass(frozen=True)
class Row:
    """target: what must hold; goal: what is wanted; both about the median, and about `better`."""

    what: str
    samples: Samples
    limit: Limit | None = None
    target: float | None = None
    goal: float | None = None
    better: Literal["lower", "higher"] = "lower"
    peers: tuple[str, ...] = field(default=())

    def ratio(self) -> float | None:
        """Median over the limit's median, the other way round where more is better: 1 is perfect."""
        if self.limit is None:
            return None
        ours, theirs = self.samples.median, self.limit.samples.median
        top, bottom = (ours, theirs) if self.better == "lower" else (theirs, ours)
        return top / bottom if bottom else None

    def meets(self, bound: float) -> bool:
        return self.samples.median <= bound if self.better == "lower" else self.samples.median >= bound
