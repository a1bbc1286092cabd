"""In front of the house: what somebody without a session sees, and how a link lets them in."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.conftest import Visit


def test_the_page_says_how_to_get_in_when_nobody_is_signed_in(visit: Visit) -> None:
    visitor = visit()

    visitor.arrive("/agents")

    visitor.sees("make link")
    assert visitor.complaints() == []


def test_the_secret_leaves_the_address_when_a_link_is_opened(visit: Visit) -> None:
    visitor = visit()

    visitor.sign_in()

    assert "#" not in visitor.page.url
    assert visitor.errors == []


def test_a_link_works_in_a_tab_that_already_shows_the_door(visit: Visit) -> None:
    visitor = visit(language="en-US")
    visitor.arrive()
    visitor.sees("make link")

    visitor.sign_in()

    assert visitor.errors == []


def test_a_used_link_says_so_and_lets_nobody_in(visit: Visit) -> None:
    first = visit()
    first.sign_in()
    second = visit()

    second.arrive("/#link=0123456789012345678901234567890123456789012")

    expect(second.page.get_by_role("alert")).to_be_visible()
    second.sees("make link")
