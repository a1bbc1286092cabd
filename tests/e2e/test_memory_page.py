"""What an agent remembers goes back to an earlier moment, and returns, through the page."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.visitor import RUN_MS
from tests.flows.house import House
from tests.flows.imports import LIVE_ONLY, agent_zip, allowed

COUNTER = """
agent.state["count"] = agent.state.get("count", 0) + 1
agent.deliver("inbox", "count " + str(agent.state["count"]))
"""


@pytest.mark.slow(60)
def test_memory_goes_back_and_returns_when_the_person_says_so(house: House, visit: Visit) -> None:
    person = house.person()
    agent_id = allowed(person, agent_zip(LIVE_ONLY + COUNTER, state=True))["agent_id"]
    person.runs(agent_id)
    person.runs(agent_id)
    visitor = visit(width=360)
    visitor.sign_in()
    visitor.arrive(f"/agents/{agent_id}?tab=memory")
    rows = visitor.page.locator(".memory li")
    expect(rows).to_have_count(2)
    expect(rows.nth(0).get_by_text("지금 쓰는 기억")).to_be_visible()

    visitor.press("이때로 되돌리기 (기억 1)")
    visitor.sees("기억 1로 되돌릴까요?")
    assert visitor.complaints() == []
    visitor.press("이때로 되돌리기")

    expect(rows).to_have_count(3, timeout=RUN_MS)
    expect(rows.nth(0).get_by_text("기억 1을 다시 가져옴")).to_be_visible()
    assert _remembered(house, agent_id) == 1
    visitor.press("되돌리기")
    expect(rows).to_have_count(4, timeout=RUN_MS)
    assert _remembered(house, agent_id) == 2
    assert visitor.complaints() == []
    assert visitor.errors == []


def _remembered(house: House, agent_id: str) -> int:
    """The number of the version whose content the next run begins with."""
    items = house.person().call("GET", f"/api/v1/agents/{agent_id}/state/versions")["items"]
    (current,) = [item for item in items if item["current"]]
    return int(current["rewound_from"])
