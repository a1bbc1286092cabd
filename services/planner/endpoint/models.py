"""Which model an agent may ask: the connection's, or a priced one that costs no more in any way. Pure."""

from __future__ import annotations

from services.planner.prices import Price, price_of, prices
from shared.errors import BadRequest

DEFAULT = "default"
"""What code writes when it takes what the workspace has connected."""


def chosen(asked: str, connected: str) -> str:
    """Raises: BadRequest naming what may be asked. A person approved tokens at the connected model's price, so a
    dearer one would cost more than was said; one without a price could cost anything."""
    if asked in (DEFAULT, connected):
        return connected
    limit, wanted = price_of(connected), price_of(asked)
    if limit is not None and wanted is not None and _no_dearer(wanted, limit):
        return asked
    able = ", ".join([DEFAULT, *_others(connected, limit)])
    korean = f"{asked[:80]}: 이 에이전트가 쓸 수 없는 모델이에요. 쓸 수 있는 것: {able}"
    text = f"{korean} (Not a model this agent may ask. Those it may: {able}.)"
    raise BadRequest(text, code="model_not_allowed", fields={"model": f"one of: {able}"})


def _others(connected: str, limit: Price | None) -> list[str]:
    if limit is None:
        return [connected]
    return sorted({connected, *(id for id, price in prices().items() if _no_dearer(price, limit))})


def _no_dearer(one: Price, limit: Price) -> bool:
    return (
        one.input <= limit.input
        and one.output <= limit.output
        and one.cache_read <= limit.cache_read
        and one.cache_write_5m <= limit.cache_write_5m
        and one.cache_write_1h <= limit.cache_write_1h
    )
