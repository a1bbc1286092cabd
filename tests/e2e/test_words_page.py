"""Claude through the page: a key is connected, words are there before the answer is complete, and a plan forms."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.visitor import RUN_MS, Visitor
from tests.fakes.llm_script import Call, Do, Ping, Refuse, Reply, Say, Think
from tests.fakes.messages_server import KEY, MessagesServer
from tests.flows.house import House

SENTENCE = "연습용 가게의 새 상품을 아침마다 알려 줘"
PLAN = {
    "name": "새 상품 봇",
    "summary": "연습용 가게의 상품을 아침마다 알려요",
    "steps": ["가게를 읽어요", "목록을 만들어요", "받은 보고서로 보내요"],
    "schedule": {"cron": "0 9 * * *", "timezone": "Asia/Seoul"},
    "hosts": [{"host": "practice.agentbuilder.test", "path": "/shop-a", "why": "상품 목록을 읽어요"}],
    "channels": [{"kind": "inbox", "why": "보고"}],
    "contract": [
        {"check": "rows", "path": "outputs/items.csv", "min": 3, "says": "상품이 셋 이상"},
        {"check": "delivered", "contains": ["inbox"], "says": "보고서를 보냈어요"},
    ],
    "seconds_per_run": 3,
}


class Gate:
    """Where the model stops writing until the test has looked."""

    def __init__(self) -> None:
        self._open = threading.Event()

    def __call__(self) -> None:
        assert self._open.wait(120), "nobody opened the gate"

    def open(self) -> None:
        self._open.set()


def shown() -> tuple[Do, Ping]:
    """A moment as the real API leaves it: a ping comes after the words, so that the last of them are shown too."""
    return Do(lambda: threading.Event().wait(0.1)), Ping()


@pytest.fixture
def claude() -> Iterator[MessagesServer]:
    with MessagesServer() as server:
        yield server


@pytest.fixture
def talking(
    tmp_path_factory: pytest.TempPathFactory, built_page: None, claude: MessagesServer
) -> Iterator[House]:
    """Nobody has brought a key yet; only where a key would be used is set."""
    made = House(tmp_path_factory.mktemp("house"))
    made.environment |= {"ANTHROPIC_BASE_URL": claude.url}
    yield made.open()
    made.close()


@pytest.fixture
def visitor(browser: Browser, talking: House, axe: str) -> Iterator[Visitor]:
    made = Visitor(browser, talking, axe)
    yield made
    made.leave()


def connect(visitor: Visitor, key: str) -> None:
    visitor.page.get_by_role("link", name="Claude 연결하기").click()
    visitor.page.get_by_label("Claude 키").fill(key)
    visitor.press("연결하기")


@pytest.mark.slow(120)
@pytest.mark.timeout(240)
def test_a_key_is_connected_and_an_answer_is_read_while_it_is_written(
    visitor: Visitor, claude: MessagesServer
) -> None:
    page = visitor.page
    words, plan = Gate(), Gate()
    claude.enqueue(
        Reply((Say("hello"),)),
        Reply(
            (
                Think("가게는 하나면 된다.\n매일 아침 읽으면 된다."),
                Say("연습용 가게를 볼게요."),
                *shown(),
                Do(words),
                Call("propose_plan", PLAN),
                *shown(),
                Do(plan),
            )
        ),
    )
    visitor.sign_in()
    connect(visitor, KEY)
    visitor.sees("연결됐어요")
    assert visitor.complaints() == []
    page.get_by_role("link", name="만들기").click()
    expect(page.get_by_role("link", name="Claude 연결하기")).to_have_count(0)

    box = page.get_by_role("textbox", name="무슨 일을 맡길까요?")
    box.fill(SENTENCE)
    box.press("Enter")
    writing = page.locator(".writing")
    expect(writing.get_by_text("연습용 가게를 볼게요.")).to_be_visible(timeout=RUN_MS)
    expect(writing.get_by_text("생각한 내용")).to_be_visible()
    assert visitor.complaints() == []
    page.reload()
    expect(writing.get_by_text("연습용 가게를 볼게요.")).to_be_visible(timeout=RUN_MS)

    words.open()
    expect(writing.locator(".writing-plan").get_by_text("목록을 만들어요")).to_be_visible(timeout=RUN_MS)
    expect(visitor.button("허용하기")).to_have_count(0)
    plan.open()
    expect(visitor.button("허용하기")).to_be_visible(timeout=RUN_MS)
    expect(writing).to_have_count(0)
    expect(page.get_by_text("연습용 가게를 볼게요.")).to_have_count(1)
    assert KEY not in page.content()
    assert visitor.errors == []


@pytest.mark.slow(120)
@pytest.mark.timeout(240)
def test_a_refused_key_is_said_in_a_sentence_and_a_person_can_change_a_plan(
    visitor: Visitor, claude: MessagesServer
) -> None:
    page = visitor.page
    visitor.sign_in()
    connect(visitor, "sk-ant-of-somebody-else")
    visitor.sees("Claude가 이 키를 받아 주지 않아요")
    claude.enqueue(
        Reply((Say("hello"),)),
        Refuse(401, "authentication_error", "the key was withdrawn"),
        Reply((Call("propose_plan", PLAN),)),
    )
    page.get_by_label("다른 키로 바꾸기").fill(KEY)
    visitor.press("시험하고 바꾸기")
    visitor.sees("연결됐어요")
    page.get_by_role("link", name="만들기").click()
    box = page.get_by_role("textbox", name="무슨 일을 맡길까요?")
    box.fill(SENTENCE)
    box.press("Enter")
    visitor.sees("다른 키를 연결해 주세요")
    visitor.press("다시")
    expect(visitor.button("허용하기")).to_be_visible(timeout=RUN_MS)
    visitor.press("나중에")

    change_the_plan(visitor)
    assert visitor.errors == []


def change_the_plan(visitor: Visitor) -> None:
    page = visitor.page
    visitor.press("고치기")
    page.get_by_label("시각").fill("07:30")
    page.get_by_label("적어도").first.fill("1")
    assert visitor.complaints() == []
    visitor.press("이렇게 바꾸기")
    question = page.get_by_role("dialog", name="확인 조건을 느슨하게 할까요?")
    expect(question.get_by_text("상품이 셋 이상")).to_be_visible()
    visitor.button("이렇게 바꾸기", question).click()
    expect(page.locator(".permission-when").get_by_text("매일 07:30")).to_be_visible(timeout=RUN_MS)
