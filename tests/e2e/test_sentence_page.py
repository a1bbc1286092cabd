"""The sentence the product is about, through the page: three shops, a webhook typed once, one message."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.visitor import RUN_MS
from tests.flows.shops import Shops, Sink


@pytest.mark.slow(180)
def test_the_sentence_becomes_one_message_when_the_person_allows_it(
    visit: Visit, shops: Shops, sink: Sink
) -> None:
    visitor = visit()
    visitor.sign_in()
    page = visitor.page
    places = ", ".join(shops.address(shop) for shop in "abc")
    box = page.get_by_role("textbox", name="무슨 일을 맡길까요?")

    box.fill(f"매일 아침 9시에 {places} 의 신제품을 긁어와서, 주요 키워드를 분석하고, 슬랙으로 보고해 줘")
    box.press("Enter")
    secret = page.get_by_label("SLACK_WEBHOOK_URL")
    expect(secret).to_be_visible(timeout=RUN_MS)
    expect(visitor.button("허용하기")).to_be_disabled()
    secret.fill(sink.address)
    visitor.press("허용하기")
    expect(visitor.button("켜기")).to_be_visible(timeout=RUN_MS)

    expect(page.locator(".panel .message").get_by_text("리넨 셔츠 화이트").first).to_be_visible()
    assert sink.bodies == []
    visitor.press("켜기")
    expect(visitor.run_card().get_by_text("전달했어요")).to_be_visible(timeout=RUN_MS)
    assert len(sink.bodies) == 1
    assert sink.address not in page.content()
    assert visitor.errors == []
