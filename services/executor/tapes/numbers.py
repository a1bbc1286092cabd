"""Numbers as people write them in pages and reports, read so that `12,900원`, `12 900` and `12900` are one. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

# Not part of a name, a colour, an entity or a path.
_BEFORE, _AFTER = r"(?<![A-Za-z0-9_#&%/.-])", r"(?![A-Za-z0-9_%]|\.\d)"
# Grouped by comma, point or space, with up to two decimals.
_GROUPED = re.compile(rf"{_BEFORE}(\d{{1,3}}(?:[,. \u00a0\u202f]\d{{3}})+|\d+)([.,]\d{{1,2}})?{_AFTER}")
_BARE = re.compile(rf"{_BEFORE}(\d+)(\.\d{{1,2}})?{_AFTER}")
_MOMENT = re.compile(
    r"(?<!\d)(?:19|20)\d\d(?:[-./]\d{1,2}[-./]\d{1,2}|\d{4}(?!\d)|년)(?:[T _]?\d\d:?\d\d(?::?\d\d(?:[.,]\d+)?)?)?"
    r"|(?<!\d)\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?(?!\d)"
    r"|(?<![\d.,])1\d{9}(?:\d{3}|\d{6}|\d{9})?(?:\.\d+)?(?![\d.,])"
    r"|(?<![\d.,])(?:19|20)\d\d(?![\d.,])"
)
LEAST_DIGITS, MOST_DIGITS = 3, 12


@dataclass(frozen=True)
class Number:
    """digits: without what separates them; value: what they mean; start, end: where it stands in its text."""

    digits: str
    value: Decimal
    start: int
    end: int

    @property
    def names(self) -> frozenset[str]:
        """Two numbers are the same when they share one: 99.00 is 99, and 9900 of the smaller coin."""
        return frozenset({self.digits, f"={self.value.normalize():f}"})


def numbers_in(text: str, *, grouped: bool = True) -> Iterator[Number]:
    """Without dates, times and years: those are not read from one place, and changing them breaks calendars.
    grouped: False where a comma stands between values."""
    for found in (_GROUPED if grouped else _BARE).finditer(without_moments(text)):
        whole = re.sub(r"\D", "", found[1])
        part = (found[2] or "")[1:]
        yield Number(whole + part, Decimal(f"{whole}.{part or 0}"), *found.span())


def without_moments(text: str) -> str:
    """As long as before, with letters where moments stood."""
    return _MOMENT.sub(lambda found: "_" * len(found[0]), text)


def telling(number: Number) -> bool:
    """Long enough that it does not stand in a text by chance."""
    return LEAST_DIGITS <= len(number.digits) <= MOST_DIGITS and number.value != 0


def shifted(digits: str, by: int) -> str:
    """As many digits, the first half as it is: about as large as before, and on the same side of most bounds."""
    kept = max(1, len(digits) // 2)
    return digits[:kept] + "".join(str((int(digit) + by) % 10) for digit in digits[kept:])


def respelled(text: str, digits: str) -> str:
    """`text`, its digits replaced in order; what stands between them stays."""
    left = iter(digits)
    return "".join(next(left) if c.isdigit() else c for c in text)
