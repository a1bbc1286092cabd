"""What the practice shops sell on which day, read from `files/catalogue.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

FILES = Path(__file__).parent / "files"


@dataclass(frozen=True)
class Item:
    """As it stands on the day asked for. Prices in won; `was` only when the price changed since day 1."""

    id: str
    name: str
    category: str
    price: int
    was: int | None
    added: date
    is_new: bool


@dataclass(frozen=True)
class Shop:
    key: str
    name: str
    line: str
    color: str
    items: tuple[Item, ...]


class Catalogue:
    def __init__(self) -> None:
        self._shops: dict[str, Any] = json.loads((FILES / "catalogue.json").read_text("utf-8"))

    def shop(self, key: str, day: int, today: date) -> Shop:
        """Newest items first, as shops list them. `today` is the date of `day`."""
        found = self._shops[key]
        rows = [row for row in found["items"] if row.get("from_day", 1) <= day <= row.get("until_day", day)]
        items = [_item(row, day, today) for row in rows]
        # Sorting is stable: within a day the order of the file stays.
        items.sort(key=lambda item: item.added, reverse=True)
        return Shop(key, found["name"], found["line"], found["color"], tuple(items))


def _item(row: dict[str, Any], day: int, today: date) -> Item:
    first_day = int(row.get("from_day", 1))
    steps = sorted((int(since), int(won)) for since, won in row["prices"].items())
    current = [won for since, won in steps if since <= day]
    changed = len(current) > 1
    return Item(
        id=row["id"],
        name=row["name"],
        category=row["category"],
        price=current[-1],
        was=current[0] if changed else None,
        added=today - timedelta(days=day - first_day),
        is_new=first_day == day and day > 1,
    )
