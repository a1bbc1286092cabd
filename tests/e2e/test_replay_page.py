"""A run of the practice shop is looked into and done again from its recording, through the page."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.visitor import RUN_MS
from tests.flows.house import House
from tests.flows.imports import agent_zip, allowed

PRACTICE = {"host": "practice.agentbuilder.test", "effect": "read", "why": "시험"}
READING = """
import agent, urllib.request
page = urllib.request.urlopen("https://practice.agentbuilder.test/shop-a/new").read().decode()
agent.deliver("inbox", f"page of {len(page)} characters")
"""


@pytest.mark.slow(60)
def test_a_run_is_looked_into_and_is_the_same_when_it_is_replayed(house: House, visit: Visit) -> None:
    person = house.person()
    run = person.runs(allowed(person, agent_zip(READING, hosts=[PRACTICE]))["agent_id"])
    visitor = visit(width=360, language="en-US")
    visitor.sign_in()
    visitor.arrive(f"/runs/{run['id']}")
    page = visitor.page

    page.get_by_text("Look at each").click(timeout=RUN_MS)
    page.locator(".exchange summary").first.click()
    expect(page.get_by_role("group", name="What came back")).to_be_visible()
    assert visitor.complaints() == []
    visitor.press("Replay it")

    visitor.sees("Replay: nothing was sent to the outside")
    expect(page.locator(".replay-same").get_by_text("It was the same")).to_be_visible(timeout=RUN_MS)
    expect(page.get_by_role("link", name="First run")).to_have_attribute("href", f"/runs/{run['id']}")
    assert visitor.complaints() == []
    assert visitor.errors == []
