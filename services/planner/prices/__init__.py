"""What models cost, as data with a source and a date. A model that is not listed has no price here: unknown is said."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from services.planner.ports import Usage

_TABLE = Path(__file__).with_name("prices.toml")


@dataclass(frozen=True)
class Price:
    """USD per million tokens, which is micro-dollars per token."""

    input: float
    output: float
    cache_write_5m: float
    cache_write_1h: float
    cache_read: float
    source: str
    date: str


@cache
def prices() -> dict[str, Price]:
    """By model id."""
    with _TABLE.open("rb") as file:
        table = tomllib.load(file)
    return {
        id: Price(**{key: value for key, value in row.items() if key != "ids"})
        for row in table["price"]
        for id in row["ids"]
    }


def price_of(model: str) -> Price | None:
    """None when nobody has written a price down. A dated id has the price of the id without its date."""
    known = prices()
    head, _, date = model.rpartition("-")
    return known.get(model) or (known.get(head) if date.isdigit() and len(date) == 8 else None)


def cost_usd_micros(model: str, usage: Usage) -> int | None:
    """Rounded up to a whole micro-dollar; None when the model has no price here."""
    price = price_of(model)
    if price is None:
        return None
    cost = (
        usage.input * price.input
        + usage.output * price.output
        + usage.cache_write_5m * price.cache_write_5m
        + usage.cache_write_1h * price.cache_write_1h
        + usage.cache_read * price.cache_read
    )
    return -int(-cost // 1)
