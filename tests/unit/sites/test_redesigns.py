"""The twenty shops are a fair trial: a redesign breaks the old reader, right fixes read all days, wrong ones do not."""

from __future__ import annotations

import html
import json
import re

import pytest

from tests.flows.sites.readers import WRONG, Wrong, program, reading, right, wrong
from tests.flows.sites.redesigns import SHOPS, Row, Shop, page_of

every_shop = pytest.mark.parametrize("shop", SHOPS, ids=lambda shop: f"{shop.name} {shop.change}")
TOMORROW: tuple[Row, ...] = (("t1", "새 담요 <대형>", 1234500), ("t2", "Candle", 6100))


def read(source: str, page: str, remembered: list[tuple[str, int]]) -> list[tuple[str, int]]:
    space: dict[str, object] = {"html": html, "json": json, "re": re}
    exec(compile(source, "reader", "exec"), space)  # noqa: S102  the code stands in readers.py
    found = space["rows"]
    assert callable(found)
    return list(found(page, remembered))


def true(rows: tuple[Row, ...]) -> list[tuple[str, int]]:
    return [(title, price) for _id, title, price in rows]


@every_shop
def test_a_redesign_takes_every_row_from_the_old_reader(shop: Shop) -> None:
    assert read(reading(shop), page_of(shop, shop.rows, new=False), []) == true(shop.rows)
    assert read(reading(shop), page_of(shop, shop.rows, new=True), []) == []


@every_shop
def test_a_right_fix_reads_both_layouts_on_any_day(shop: Shop) -> None:
    for rows in (shop.rows, TOMORROW):
        for new in (False, True):
            assert read(right(shop), page_of(shop, rows, new=new), []) == true(rows)


@every_shop
@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_fix_is_wrong_on_some_day(shop: Shop, kind: Wrong) -> None:
    source = wrong(shop, kind, shop.rows)
    risen = tuple((id, title, price + 100) for id, title, price in shop.rows)
    days = [
        read(source, page_of(shop, rows, new=new), true(shop.rows)) == true(rows)
        for rows in (shop.rows, TOMORROW, risen, ())
        for new in (False, True)
    ]

    assert not all(days)


@every_shop
def test_the_whole_program_is_python(shop: Shop) -> None:
    compile(program(shop, "http://shop.example/new", right(shop)), "main.py", "exec")


def test_the_shops_differ_in_what_their_redesign_did() -> None:
    assert len(SHOPS) == 20
    assert len({(shop.language, shop.old, shop.new) for shop in SHOPS}) == 20
    assert {shop.language for shop in SHOPS} == {"ko", "en"}
