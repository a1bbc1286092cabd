"""Somebody with no key, account or address: three clicks to a delivered report, then a day, then trouble."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.visitor import RUN_MS, Visitor


def three_clicks(visitor: Visitor) -> None:
    visitor.sign_in()
    visitor.page.locator(".example button").first.click()
    visitor.clicks += 1
    visitor.press("허용하기")
    visitor.press("켜기")
    expect(visitor.run_card().get_by_text("전달했어요")).to_be_visible(timeout=RUN_MS)


@pytest.mark.slow(180)
@pytest.mark.parametrize("width", [1280, 360])
def test_three_clicks_bring_the_first_delivered_report(visit: Visit, width: int) -> None:
    visitor = visit(width=width)

    three_clicks(visitor)

    assert visitor.clicks == 3
    card = visitor.run_card()
    expect(card.locator(".stamp")).to_be_visible()
    expect(card.get_by_text("상품").first).to_be_visible()
    assert visitor.complaints() == []
    assert visitor.errors == []


@pytest.mark.slow(240)
@pytest.mark.timeout(240)
@pytest.mark.parametrize("width", [1280, 360])
def test_a_broken_shop_is_told_and_the_next_good_run_recovers(visit: Visit, width: int) -> None:
    visitor = visit(width=width)
    three_clicks(visitor)

    visitor.press("다음 날로")
    visitor.sees("이번 실행")
    expect(visitor.run_card().get_by_text("전달했어요")).to_be_visible(timeout=RUN_MS)
    visitor.sees("2일째")

    visitor.press("가게 고장 내기")
    expect(visitor.run_card().get_by_text("전달하지 않았어요").first).to_be_visible(timeout=RUN_MS)
    expect(visitor.run_card().locator(".run-reason")).not_to_be_empty()
    expect(visitor.run_card().locator(".stamp")).to_have_count(0)
    assert visitor.complaints() == []

    visitor.press("가게 고치기")
    expect(visitor.run_card().get_by_text("전달했어요")).to_be_visible(timeout=RUN_MS)
    assert visitor.errors == []


@pytest.mark.slow(180)
def test_leaving_and_coming_back_loses_nothing(visit: Visit) -> None:
    visitor = visit()
    three_clicks(visitor)

    visitor.page.reload()

    expect(visitor.run_card().get_by_text("전달했어요")).to_be_visible()
    visitor.arrive("/agents")
    expect(visitor.page.locator(".agent-card")).to_have_count(1)
    expect(visitor.page.locator(".inbox li")).to_have_count(1)
