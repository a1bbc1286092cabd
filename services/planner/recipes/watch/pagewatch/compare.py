"""What is new, changed and gone since the last good reading of a source. Pure.

Remembered per source: the entries of its last good reading. A reading that failed changes nothing, so the
next good one is compared with the last good one, however long ago that was.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass

from .item import Item

# A list this long, found in another way and sharing nothing with before, is a rebuilt page, not new goods.
REBUILT_FROM = 3


@dataclass(frozen=True)
class Change:
    """`before` is None for a new entry, `after` is None for one that is gone."""

    before: Item | None
    after: Item | None


@dataclass(frozen=True)
class Comparison:
    """`first`: there was nothing to compare with, all entries are the baseline and none counts as new."""

    first: bool
    new: tuple[Item, ...] = ()
    changed: tuple[Change, ...] = ()
    gone: tuple[Item, ...] = ()
    same: int = 0


def compare(before: list[Item] | None, now: list[Item]) -> Comparison:
    """`before` None: never read. Entries meet by the seller's number, then by link, then by title, so that
    one whose link moved while its title stayed is still the same."""
    if before is None:
        return Comparison(first=True)
    old_left, pairs, new_left = list(before), [], list(now)
    for mark in (_by_code, _by_link, _by_title):
        old_left, new_left, met = _meet(old_left, new_left, mark)
        pairs += met
    changed = tuple(Change(old, new) for old, new in pairs if _differs(old, new))
    return Comparison(False, tuple(new_left), changed, tuple(old_left), len(pairs) - len(changed))


def is_rebuilt(before: list[Item] | None, kind_before: str, now: list[Item], kind_now: str) -> bool:
    """Whether the page was probably rebuilt, so that what was found may not be the list at all.

    Nothing on it was there before, and it was found in another way or all prices are gone.
    """
    if not before or len(before) < REBUILT_FROM:
        return False
    lost_prices = all(item.price for item in before) and not any(item.price for item in now)
    return (kind_before != kind_now or lost_prices) and len(compare(before, now).new) == len(now)


def _by_code(item: Item) -> str:
    return item.code


def _by_link(item: Item) -> str:
    return item.link


def _by_title(item: Item) -> str:
    return re.sub(r"\W+", "", item.title).casefold()


def _meet(
    old: list[Item], new: list[Item], mark: Callable[[Item], str]
) -> tuple[list[Item], list[Item], list[tuple[Item, Item]]]:
    """Pairs entries with the same mark, if only one on each side has it; the rest stays in order."""
    old_marks, new_marks = Counter(map(mark, old)), Counter(map(mark, new))
    alone = {name for name in old_marks if name and old_marks[name] == new_marks.get(name) == 1}
    olds = {mark(item): item for item in old if mark(item) in alone}
    met = [(olds[mark(item)], item) for item in new if mark(item) in alone]
    return (
        [item for item in old if mark(item) not in alone],
        [item for item in new if mark(item) not in alone],
        met,
    )


def _differs(old: Item, new: Item) -> bool:
    """Title, price and detail count; a moved link does not."""
    return (_by_title(old), _digits(old.price), old.detail) != (
        _by_title(new),
        _digits(new.price),
        new.detail,
    )


def _digits(price: str) -> str:
    return re.sub(r"[^\d.]", "", price)


def remember(items: list[Item]) -> list[dict[str, str]]:
    """As kept in the agent's state."""
    return [{name: value for name, value in asdict(item).items() if value} for item in items]


def recall(kept: object) -> list[Item] | None:
    """The inverse of `remember`; None when nothing usable is kept."""
    if not isinstance(kept, list):
        return None
    names = ("title", "link", "price", "detail", "code")
    return [
        Item(**{name: str(entry.get(name, "")) for name in names})
        for entry in kept
        if isinstance(entry, dict)
    ]
