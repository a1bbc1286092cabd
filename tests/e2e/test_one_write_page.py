"""A rehearsal shows what it would send; a person lets exactly one of it out, and sees that it left."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.visitor import RUN_MS
from tests.flows.house import House
from tests.flows.imports import agent_zip, allowed, local
from tests.flows.shops import Sink

ORDERS = """
import agent, json, urllib.request
for item in ("mug", "tray"):
    body = json.dumps({{"item": item}}).encode()
    urllib.request.urlopen(urllib.request.Request("http://127.0.0.1:{port}/orders", data=body)).read()
agent.deliver("inbox", "ordered")
"""


@pytest.mark.slow(60)
def test_one_write_leaves_when_the_person_has_seen_it_and_said_yes(
    house: House, visit: Visit, sink: Sink
) -> None:
    code = ORDERS.format(port=sink.port)
    conversation = allowed(house.person(), agent_zip(code, hosts=[local(sink.port, effect="write")]))
    visitor = visit(width=360, theme="dark")
    visitor.sign_in()
    visitor.arrive(f"/runs/{conversation['test_run_id']}")
    shown = visitor.page.locator(".writes li")
    expect(shown).to_have_count(2, timeout=RUN_MS)
    assert visitor.complaints() == []

    visitor.button("이것만 실제로 보내기", shown.nth(1)).click()
    dialog = visitor.page.get_by_role("dialog")
    expect(dialog.get_by_text(f"127.0.0.1:{sink.port}에 아래 내용이 그대로")).to_be_visible()
    expect(dialog.get_by_text("tray")).to_be_visible()
    assert visitor.complaints() == []
    assert sink.bodies == []
    visitor.press("한 번 보내기")

    visitor.sees("실제로 나간 것 1건")
    assert sink.bodies == [{"item": "tray"}]
    expect(visitor.page.locator(".verdict").get_by_text("연습을 마쳤어요")).to_be_visible(timeout=RUN_MS)
    assert visitor.complaints() == []
    assert visitor.errors == []
