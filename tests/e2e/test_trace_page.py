"""What happened when in a run is looked at through the page, on every screen."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.flows.house import House
from tests.flows.imports import agent_zip, allowed

PRACTICE = {"host": "practice.agentbuilder.test", "effect": "read", "why": "시험"}
READING = """
import agent, urllib.error, urllib.request
for query in ("", "?page=1"):
    urllib.request.urlopen(f"https://practice.agentbuilder.test/shop-a/new{query}").read()
try:
    urllib.request.urlopen("https://practice.agentbuilder.test/nothing-here").read()
except urllib.error.HTTPError:
    pass
agent.deliver("inbox", "done")
"""


@pytest.mark.slow(90)
def test_a_run_tells_what_happened_when_and_every_screen_can_read_it(house: House, visit: Visit) -> None:
    person = house.person()
    run = person.runs(allowed(person, agent_zip(READING, hosts=[PRACTICE]))["agent_id"])
    for width, language, theme, title in (
        (1280, "ko-KR", "light", "언제 무엇을 했나"),
        (360, "en-US", "dark", "What happened when"),
    ):
        visitor = visit(width=width, language=language, theme=theme)
        visitor.sign_in()
        visitor.arrive(f"/runs/{run['id']}")
        visitor.page.get_by_role("heading", name=title).click()

        bars = visitor.page.locator(".trace-bar")
        expect(bars).to_have_count(9)
        assert bars.evaluate_all("bars => bars.map(bar => bar.dataset.kind)") == [
            *("funded", "waited", "prepared", "code"),
            *("request", "request", "request"),
            *("collected", "delivery"),
        ]
        assert "?" not in visitor.page.locator(".trace").inner_text()
        overflow = visitor.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0
        assert visitor.complaints() == []
        assert visitor.errors == []
