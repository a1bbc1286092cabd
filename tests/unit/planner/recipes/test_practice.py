"""The practice shops, as the platform serves them, are read by the same code as any other."""

from __future__ import annotations

from datetime import date

import pytest
from pagewatch.compare import compare
from pagewatch.decode import decode
from pagewatch.extract import Found, extract
from pagewatch.robots import read_robots

from services.executor.egress.model import PracticeSetting
from services.executor.egress.practice.site import PracticeSite
from services.planner.recipes.addresses import practice_addresses

TODAY = date(2026, 11, 22)
SITE = PracticeSite()


def page(address: str, day: int, broken: bool) -> tuple[int, str]:
    path = "/" + address.split("/", 3)[3]
    answer = SITE.answer("GET", path, PracticeSetting(day=day, broken=broken), TODAY)
    return answer.status, decode(answer.body, answer.content_type)


def found(address: str, day: int = 1, broken: bool = False) -> Found:
    return extract(page(address, day, broken)[1], address, lambda feed: page(feed, day, broken)[1])


def test_three_shops_are_found_in_three_ways() -> None:
    shops = [found(address) for address in practice_addresses()]

    assert [shop.kind for shop in shops] == ["json-ld", "feed", "blocks"]
    assert all(len(shop.items) >= 5 and all(item.price for item in shop.items) for shop in shops)


@pytest.mark.parametrize("address", practice_addresses())
def test_next_day_brings_new_products_and_keeps_the_rest(address: str) -> None:
    before, now = found(address, 1), found(address, 2)

    result = compare(list(before.items), list(now.items))

    assert result.new
    assert result.same
    assert len(result.new) < len(now.items)


def test_broken_shops_fail_in_two_ways() -> None:
    _, feed_shop, block_shop = practice_addresses()

    assert page(feed_shop, 2, True)[0] == 500
    assert found(block_shop, 2, True).problem == "needs_browser"


def test_robots_of_the_practice_host_lets_the_shops_be_read() -> None:
    rules = read_robots(page("https://practice.agentbuilder.test/robots.txt", 1, False)[1])

    assert all(rules.allows("/" + address.split("/", 3)[3]) for address in practice_addresses())
    assert not rules.allows("/private/")
