"""Every screen in both languages and themes, at a desk and on a phone: legible, reachable, never too wide."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.visitor import RUN_MS, Visitor
from tests.flows.house import House

MANNERS = [(1280, "ko-KR", "light"), (1280, "en-US", "dark"), (360, "ko-KR", "dark"), (360, "en-US", "light")]


def an_agent(house: House) -> str:
    """An agent of the practice shops that has run once and is on."""
    person = house.person()
    ready = person.allows(person.says("매일 아침 9시에 연습 가게 3곳의 신제품을 받은 보고서로 보내 줘"))
    person.switches(ready["agent_id"], True)
    run = person.call("POST", f"/api/v1/agents/{ready['agent_id']}/runs", {})
    person.run(run["id"])
    return str(ready["agent_id"])


def complaints_everywhere(visitor: Visitor, agent_id: str) -> dict[str, list[str]]:
    page = visitor.page
    found: dict[str, list[str]] = {"start": visitor.complaints()}
    visitor.arrive("/agents")
    expect(page.locator(".agent-card")).to_be_visible()
    found["agents"] = visitor.complaints()
    page.locator(".inbox li button").first.click()
    expect(page.locator("dialog .prose")).to_be_visible()
    found["report"] = visitor.complaints()
    for tab in ("overview", "runs", "schedule", "permissions", "versions", "memory"):
        visitor.arrive(f"/agents/{agent_id}?tab={tab}")
        expect(page.get_by_role("tabpanel")).to_be_visible()
        found[tab] = visitor.complaints()
    visitor.arrive(f"/agents/{agent_id}?tab=runs")
    page.locator(".run-line").first.click()
    expect(page.locator(".verdict")).to_be_visible()
    expect(page.get_by_role("log")).to_be_visible(timeout=RUN_MS)
    found["run"] = visitor.complaints()
    visitor.arrive("/settings")
    expect(page.locator(".machine")).to_be_visible()
    found["settings"] = visitor.complaints()
    visitor.arrive("/nowhere")
    found["nowhere"] = visitor.complaints()
    return {screen: complaints for screen, complaints in found.items() if complaints}


@pytest.mark.slow(240)
@pytest.mark.timeout(240)
def test_no_screen_has_anything_to_stumble_over(house: House, visit: Visit) -> None:
    agent_id = an_agent(house)
    found = {}

    for width, language, theme in MANNERS:
        visitor = visit(width=width, language=language, theme=theme)
        visitor.sign_in()
        found[f"{width} {language} {theme}"] = complaints_everywhere(visitor, agent_id)
        assert visitor.errors == []

    assert {manner: screens for manner, screens in found.items() if screens} == {}


def test_the_language_changes_at_once_and_is_remembered(visit: Visit) -> None:
    visitor = visit(language="ko-KR")
    visitor.sign_in()

    visitor.page.get_by_role("button", name="Switch to English").click()

    visitor.sees("My agents")
    assert visitor.page.locator("html").get_attribute("lang") == "en"
    visitor.page.reload()
    visitor.sees("My agents")
