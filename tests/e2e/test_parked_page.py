"""A run that reached for a place nobody allowed asks in the page, and goes on or ends as the person says."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.visitor import RUN_MS
from tests.flows.house import House
from tests.flows.shops import Shops
from tests.flows.test_parked import parked


@pytest.mark.slow(120)
@pytest.mark.parametrize(
    ("button", "ends", "requests"),
    [("허용하기", "전달했어요", ["GET /a/new"]), ("거절하기", "전달하지 않았어요", [])],
)
def test_a_waiting_run_does_what_the_person_answers(
    house: House, visit: Visit, shops: Shops, button: str, ends: str, requests: list[str]
) -> None:
    run = parked(house.person(patience_s=40), shops)
    visitor = visit(width=360)
    visitor.sign_in()

    visitor.arrive("/agents")
    visitor.sees("1건이 기다려요")
    assert visitor.complaints() == []
    visitor.page.get_by_role("link", name="보기", exact=True).click()
    expect(visitor.page).to_have_url(f"{visitor.address}/runs/{run['id']}")
    visitor.sees(f"127.0.0.1:{shops.port}")
    # The card left behind names the place and has the buttons, too, until the run's own page is there.
    expect(visitor.page.locator(".verdict")).to_be_visible()
    expect(visitor.page.get_by_role("button", name=button)).to_be_visible()
    assert visitor.complaints() == []
    visitor.press(button)

    expect(visitor.page.locator(".verdict").get_by_text(ends)).to_be_visible(timeout=RUN_MS)
    assert shops.requests == requests
    assert visitor.errors == []
