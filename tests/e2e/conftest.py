"""A real Chromium on a whole house: everything a person does, they do here through the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.e2e.visitor import RUN_MS, Visitor
from tests.flows.house import House
from tests.flows.shops import Shops, Sink
from tests.needs import chromium, unavailable

WEB = Path(__file__).parents[2] / "web"
Visit = Callable[..., Visitor]


@pytest.fixture(scope="session")
def built_page() -> None:
    if not (WEB / "dist" / "index.html").exists():
        unavailable("The built page", "make page")


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of the accessibility checker."""
    source = WEB / "node_modules" / "axe-core" / "axe.min.js"
    if not source.exists():
        unavailable("axe-core", "make page")
    return source.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Started by root (as in a container) Chromium has no sandbox of its own; it opens our page only.
        started = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        expect.set_options(
            timeout=RUN_MS
        )  # five seconds are not enough for a page on a machine with other work
        yield started
        started.close()


@pytest.fixture
def shops() -> Iterator[Shops]:
    made = Shops()
    yield made
    made.close()


@pytest.fixture
def sink() -> Iterator[Sink]:
    made = Sink()
    yield made
    made.close()


@pytest.fixture
def house(
    tmp_path_factory: pytest.TempPathFactory, built_page: None, shops: Shops, sink: Sink
) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"), open_ports=(shops.port, sink.port)).open()
    yield made
    made.close()


@pytest.fixture
def visit(browser: Browser, house: House, axe: str) -> Iterator[Visit]:
    """`visit(width=360, language="en-US", theme="dark")`: a person in front of this house, not signed in."""
    visitors: list[Visitor] = []

    def make(**manner: object) -> Visitor:
        visitors.append(Visitor(browser, house, axe, **manner))  # type: ignore[arg-type]
        return visitors[-1]

    yield make
    for visitor in visitors:
        visitor.leave()
