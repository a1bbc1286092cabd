"""A package nobody has looked at is asked about where the agent is being built; the yes goes on building."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.visitor import RUN_MS
from tests.fakes.index import FakeIndex
from tests.flows.house import House
from tests.flows.imports import agent_zip, imported

CODE = "import agent, reqeusts\nagent.deliver('inbox', f'here: {reqeusts.HERE}')\n"


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    made = FakeIndex().start()
    made.add_old("reqeusts")
    yield made
    made.stop()


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory, built_page: None, index: FakeIndex) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"))
    made.environment["AB_PACKAGE_INDEX"] = index.url
    made.open()
    yield made
    made.close()


@pytest.mark.slow(60)
def test_a_doubtful_package_is_used_only_after_the_person_allowed_it(house: House, visit: Visit) -> None:
    conversation = imported(house.person(), agent_zip(CODE, packages=["reqeusts"]))
    visitor = visit(width=360)
    visitor.sign_in()
    visitor.arrive(f"/c/{conversation['id']}")
    visitor.press("허용하기")

    question = visitor.page.get_by_role("region", name="이 준비물을 써도 될까요?")
    expect(question.get_by_text("reqeusts 1.0")).to_be_visible(timeout=RUN_MS)
    expect(question.get_by_text("requests").first).to_be_visible()
    assert visitor.complaints() == []
    expect(visitor.button("켜기")).to_have_count(0)
    visitor.press("써도 돼요")

    expect(visitor.button("켜기")).to_be_visible(timeout=RUN_MS)
    expect(question).to_have_count(0)
    expect(visitor.page.locator(".panel .message").get_by_text("here: 1")).to_be_visible()
    assert visitor.errors == []
