"""A mended agent on the page: rows of a good day beside those of today, a switch for repairs, one press back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.visitor import RUN_MS, Visitor
from tests.fakes.llm_script import Call, Reply
from tests.fakes.messages_server import KEY, MessagesServer
from tests.flows.house import House
from tests.flows.shops import Shops
from tests.flows.test_repair import BOTH, OLD, broken_overnight, tried


@pytest.fixture
def claude() -> Iterator[MessagesServer]:
    with MessagesServer() as server:
        yield server


@pytest.fixture
def talking(
    tmp_path_factory: pytest.TempPathFactory, built_page: None, shops: Shops, claude: MessagesServer
) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"), open_ports=(shops.port,))
    made.environment |= {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": claude.url}
    yield made.open()
    made.close()


@pytest.mark.slow(60)
@pytest.mark.timeout(240)
@pytest.mark.parametrize("width", [1280, 360])
def test_a_fix_is_judged_beside_a_good_day_and_taken_back(
    width: int, browser: Browser, talking: House, axe: str, shops: Shops, claude: MessagesServer
) -> None:
    run, code = broken_overnight(talking.person(), shops, claude)
    claude.enqueue(tried(code.replace(OLD, BOTH)), Reply((Call("finish", {"summary": "새 모양도 읽어요."}),)))
    visitor = Visitor(browser, talking, axe, width=width)
    try:
        page = visitor.page
        visitor.sign_in()
        visitor.arrive(f"/agents/{run['agent_id']}?tab=versions")
        toggle = page.get_by_role("switch", name="고친 버전을 스스로 켜기")
        expect(toggle).to_have_attribute("aria-checked", "false")
        toggle.click()
        expect(toggle).to_have_attribute("aria-checked", "true")
        assert visitor.complaints() == []

        visitor.arrive(f"/runs/{run['id']}")
        visitor.press("왜 그런지 보고 고치기")
        before = page.get_by_role("region", name="고치기 전, 잘됐던 날")
        after = page.get_by_role("region", name="고친 뒤, 오늘")
        expect(after.get_by_text("캐시미어 니트").first).to_be_visible(timeout=RUN_MS)
        expect(before.get_by_text("리넨 셔츠 화이트").first).to_be_visible()
        expect(before.get_by_text("캐시미어 니트")).to_have_count(0)
        visitor.sees("설정해 두신 대로 고친 버전을 바로 켰어요")
        assert visitor.complaints() == []

        page.get_by_role("link", name="버전 보기").click()
        expect(page.get_by_text("버전 2", exact=True).first).to_be_visible()
        visitor.press("이 버전으로 되돌리기")
        visitor.sees("버전 1로 되돌렸어요")
        assert visitor.errors == []
    finally:
        visitor.leave()
