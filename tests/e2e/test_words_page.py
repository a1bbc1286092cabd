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

# What moves by itself, named by its element. The permission sheet covers the rest when it comes.
WATCH_SHIFTS = """() => {
  window.shifts = [];
  new PerformanceObserver(list => {
    for (const entry of list.getEntries())
      if (!entry.hadRecentInput && entry.value > 0.02)
        shifts.push(entry.value.toFixed(3) + " " + entry.sources.map(s => s.node?.className ?? "").join(", "));
  }).observe({type: "layout-shift"});
}"""


def until(gate: threading.Event) -> tuple[Do | Ping, ...]:
    """The model writes nothing more before the gate is open, and the server pings meanwhile, as the real one does.
    A minute of it: whoever waits longer for a page has given up."""
    return (Do(lambda: gate.wait(0.1)), Ping()) * 600


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
    words, plan = threading.Event(), threading.Event()
    claude.enqueue(
        Reply((Say("hello"),)),
        Reply(
            (
                Think("가게는 하나면 된다.\n매일 아침 읽으면 된다."),
                Say("연습용 가게를 볼게요."),
                *until(words),
                Call("propose_plan", PLAN),
                *until(plan),
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
    page.evaluate(WATCH_SHIFTS)
    expect(writing.get_by_text("연습용 가게를 볼게요.")).to_be_visible(timeout=RUN_MS)

    words.set()
    expect(writing.locator(".writing-plan").get_by_text("목록을 만들어요")).to_be_visible(timeout=RUN_MS)
    expect(visitor.button("허용하기")).to_have_count(0)
    plan.set()
    expect(visitor.button("허용하기")).to_be_visible(timeout=RUN_MS)
    expect(writing).to_have_count(0)
    expect(page.get_by_text("연습용 가게를 볼게요.")).to_have_count(1)
    assert page.evaluate("shifts") == []
    assert KEY not in page.content()
    assert visitor.errors == []


@pytest.mark.slow(60)
@pytest.mark.timeout(240)
def test_a_person_stops_the_model_while_it_writes_and_goes_on_later(
    visitor: Visitor, claude: MessagesServer
) -> None:
    page = visitor.page
    claude.enqueue(
        Reply((Say("hello"),)),
        Reply((Say("아주 길게 쓸 참이에요."), *until(threading.Event()))),
        Reply((Call("propose_plan", PLAN),)),
    )
    visitor.sign_in()
    connect(visitor, KEY)
    visitor.sees("연결됐어요")
    page.get_by_role("link", name="만들기").click()
    box = page.get_by_role("textbox", name="무슨 일을 맡길까요?")
    box.fill(SENTENCE)
    box.press("Enter")
    expect(page.locator(".writing").get_by_text("아주 길게 쓸 참이에요.")).to_be_visible(timeout=RUN_MS)

    visitor.press("멈추기")
    expect(page.locator(".writing")).to_have_count(0, timeout=RUN_MS)
    expect(visitor.button("멈추기")).to_have_count(0)
    assert claude.left.wait(60)
    visitor.press("고쳐서 다시 보내기")
    expect(page.get_by_role("textbox", name="메시지")).to_have_value(SENTENCE)
    page.get_by_role("textbox", name="메시지").press("Enter")
    expect(visitor.button("허용하기")).to_be_visible(timeout=RUN_MS)
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
