"""The conversation: what is asked, looked at, proposed and refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Literal

import pytest

from services.planner.recipes.addresses import practice_addresses
from services.planner.recipes.engine import (
    BY_HAND,
    ONLY_READABLE,
    ONLY_THESE,
    PRACTICE,
    Ask,
    Look,
    LookFound,
    Propose,
    Refuse,
    Step,
    TalkState,
    next_step,
)
from services.planner.recipes.gallery import EXAMPLES, Example
from shared.agentfile.bundle import pack, unpack
from shared.agentfile.contract import is_vacuous
from shared.agentfile.rules import check_agent_file
from shared.agentfile.toml import dump, parse

SHOPS = "https://a.example/new, https://b.example/list와 http://c.example:8080/shop"
FULL = f"매일 아침 9시에 {SHOPS}의 신제품을 긁어와서 주요 키워드를 분석하고 슬랙으로 보고해 줘"


def seen(address: str, **changes: Any) -> LookFound:
    found = LookFound(address, True, "json-ld", 24, ("울 니트", "린넨 셔츠"), "", address)
    return replace(found, **changes)


def after_looking(state: TalkState) -> Step:
    """The step once every address asked for was found to hold 24 entries."""
    step = next_step(state)
    while isinstance(step, Look):
        state = replace(
            state, looks={**state.looks, **{address: seen(address) for address in step.addresses}}
        )
        step = next_step(state)
    return step


def proposed(text: str, **state: Any) -> Propose:
    step = after_looking(replace(TalkState(messages=(text,)), **state))
    assert isinstance(step, Propose), step
    return step


def asked(text: str, **state: Any) -> list[str]:
    step = after_looking(replace(TalkState(messages=(text,)), **state))
    assert isinstance(step, Ask), step
    return [question.id for question in step.questions]


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
def test_every_example_ends_in_a_plan(example: Example, language: Literal["ko", "en"]) -> None:
    text = example.text(language)
    if example.asks:
        assert asked(text) == list(example.asks)

    plan = proposed(text, answers={"addresses": PRACTICE} if example.asks else {})

    assert plan.agent_file.agent.language == language
    assert plan.agent_file.schedule is not None
    assert len(plan.found) == 3


def test_first_example_needs_no_answer() -> None:
    assert EXAMPLES[0].asks == ()
    assert next_step(TalkState(messages=(EXAMPLES[0].text_ko,))) == Look(practice_addresses())


# text, questions that follow; written with {shop} where an address stands
WAYS_TO_SAY = [
    (FULL, []),
    (
        "매일 아침 9시에 경쟁사 웹사이트 3곳의 신제품을 긁어와 키워드를 분석하고 슬랙으로 보고해 줘",
        ["addresses"],
    ),
    ("{shop} 신제품 알려줘", ["schedule", "channel"]),
    ("{shop} 매일 아침 9시 받은함", []),
    ("평일 오후 6시 반에 {shop} 가격 바뀌면 앱으로 알려줘", []),
    ("매달 1일 오전 10시에 {shop}에서 새 글을 모아 받은함에 넣어줘", []),
    ("매주 월요일 아침 8시에 {shop}의 공지를 슬랙에 올려줘", []),
    ("{shop} 지금 한 번만 확인해서 여기로 알려줘", []),
    ("{shop}를 두 시간마다 지켜보고 받은함으로", []),
    ("{shop} 매일 확인해서 슬랙으로", ["schedule"]),
    ("아침마다 {shop} 새 상품 받은함으로", ["schedule"]),
    ("매일 9시에 {shop} 새 상품", ["channel"]),
    ("매일 9시에 {shop} 새 상품 메일로 보내줘", ["channel"]),
    ("매일 9시에 {shop} 새 상품 카톡으로 보내줘", ["channel"]),
    ("매일 9시에 {shop} 새 상품 메일 말고 슬랙으로", []),
    ("연습용 가게로 매일 9시에 받은함", []),
    ("연습 가게 신제품", ["schedule", "channel"]),
    ("매일 아침 9시에 가게 세 곳의 새 상품을 받은함으로", ["addresses"]),
    ("매일 아침 9시에 {shop} 등 3곳의 새 상품을 받은함으로", ["addresses"]),
    ("쇼핑몰 새 상품 알려줘", ["addresses", "schedule", "channel"]),
    ("{shop} 품절되면 알려줘, 매일 오전 11시, 슬랙", []),
    ("경쟁사 홈페이지 모니터링해 줘", ["addresses", "schedule", "channel"]),
    ("Every day at 9 am watch {shop} and report to Slack", []),
    ("every Monday 08:00 check {shop} for new posts, inbox please", []),
    ("Scrape new products from {shop} every weekday at 18:30 and tell me in the inbox", []),
    ("Watch {shop} for price changes", ["schedule", "channel"]),
    ("Track three competitor websites daily at 9:00 and post to slack", ["addresses"]),
    ("check the practice shops every day at 9 am and put it in my inbox", []),
    ("Monitor {shop} every day at 9 am and e-mail me", ["channel"]),
    ("Monitor {shop} hourly, report to the inbox not by email", []),
    ("{shop} new arrivals every day at 10:00 in this app", []),
    ("Check {shop} just once and show me here", []),
]


@pytest.mark.parametrize(("text", "questions"), WAYS_TO_SAY)
def test_only_what_is_missing_is_asked(text: str, questions: list[str]) -> None:
    text = text.replace("{shop}", "https://shop.example/new")

    step = after_looking(TalkState(messages=(text,)))

    assert [question.id for question in getattr(step, "questions", ())] == questions
    assert isinstance(step, Ask if questions else Propose)


ELSEWHERE = [
    "유튜브 영상을 요약해서 블로그에 올려 줘",
    "내 메일함에서 영수증을 모아 줘",
    "사진을 예쁘게 보정해 줘",
    "Translate my documents into French",
    "Book a table for two",
    "안녕하세요",
    "!!!",
]


@pytest.mark.parametrize("text", ELSEWHERE)
def test_what_no_recipe_does_is_refused_with_two_that_work(text: str) -> None:
    step = next_step(TalkState(messages=(text,)))

    assert isinstance(step, Refuse)
    assert len(step.suggestions) == 2
    for suggestion in step.suggestions:
        assert not isinstance(next_step(TalkState(messages=(suggestion,))), Refuse)


def test_empty_text_is_answered_with_examples() -> None:
    step = next_step(TalkState(messages=("  \n",)))

    assert isinstance(step, Refuse)
    assert step.suggestions[0] == EXAMPLES[0].text_ko


def test_question_without_addresses_always_offers_the_practice_shops() -> None:
    step = next_step(TalkState(messages=("경쟁사 웹사이트 3곳의 신제품을 매일 9시에 슬랙으로",)))

    assert isinstance(step, Ask)
    assert step.questions[0].choices[0].value == PRACTICE
    assert step.questions[0].text == "볼 3곳의 주소를 적어 주세요."


def test_fewer_addresses_than_said_can_be_confirmed() -> None:
    text = "매일 9시에 https://a.example/new 등 3곳의 새 상품을 받은함으로"

    assert asked(text) == ["addresses"]
    assert len(proposed(text, answers={"addresses": ONLY_THESE}).found) == 1
    assert len(proposed(text, answers={"addresses": "b.example/new c.example/new"}).found) == 3


def test_answers_fill_what_was_missing() -> None:
    answers = {"addresses": "https://a.example/new", "schedule": "평일 아침 8시", "channel": "slack"}

    plan = proposed("신제품 알려줘", answers=answers)

    assert plan.agent_file.schedule is not None
    assert plan.agent_file.schedule.cron == "0 8 * * 1-5"
    assert [channel.kind for channel in plan.agent_file.manifest.channels] == ["slack"]


def test_offered_answers_are_understood() -> None:
    text = "신제품 알려줘"
    step = next_step(TalkState(messages=(text,)))
    assert isinstance(step, Ask)
    for schedule in step.questions[1].choices:
        for channel in step.questions[2].choices:
            answers = {"addresses": PRACTICE, "schedule": schedule.value, "channel": channel.value}
            plan = proposed(text, answers=answers)
            assert (plan.agent_file.schedule is None) == (schedule.value == BY_HAND)


def test_open_time_is_asked_in_its_own_words_and_completed_by_the_answer() -> None:
    text = "https://a.example/new 신제품을 아침마다 받은함으로"
    step = next_step(TalkState(messages=(text,)))

    assert isinstance(step, Ask)
    assert step.questions[0].text == "아침 몇 시에 할까요?"
    plan = proposed(text, answers={"schedule": "8시 반"})
    assert plan.agent_file.schedule is not None
    assert plan.agent_file.schedule.cron == "30 8 * * *"


def test_unreadable_answer_about_time_is_asked_again() -> None:
    assert asked("https://a.example/new 신제품을 받은함으로", answers={"schedule": "글쎄요"}) == ["schedule"]


def test_later_message_changes_the_plan() -> None:
    state = TalkState(messages=(FULL, "받은함으로 해 줘", "평일 저녁 7시로 바꿔 줘"))

    plan = after_looking(state)

    assert isinstance(plan, Propose)
    assert plan.agent_file.schedule is not None
    assert plan.agent_file.schedule.cron == "0 19 * * 1-5"
    assert [channel.kind for channel in plan.agent_file.manifest.channels] == ["inbox"]


def test_manifest_names_exactly_the_pages_feeds_and_robots() -> None:
    state = TalkState(messages=(FULL,))
    look = next_step(state)
    assert isinstance(look, Look)
    looks = {address: seen(address) for address in look.addresses}
    looks["https://b.example/list"] = seen(
        "https://b.example/list", kind="feed", feed="https://b.example/rss.xml"
    )

    plan = next_step(replace(state, looks=looks))

    assert isinstance(plan, Propose)
    assert [
        (rule.scheme, rule.host, rule.port, rule.path, rule.effect) for rule in plan.agent_file.manifest.hosts
    ] == [
        ("https", "a.example", 443, "/new", "read"),
        ("https", "a.example", 443, "/robots.txt", "read"),
        ("https", "b.example", 443, "/list", "read"),
        ("https", "b.example", 443, "/rss.xml", "read"),
        ("https", "b.example", 443, "/robots.txt", "read"),
        ("http", "c.example", 8080, "/shop", "read"),
        ("http", "c.example", 8080, "/robots.txt", "read"),
    ]
    assert all(rule.why for rule in plan.agent_file.manifest.hosts)


def test_whole_site_is_one_rule() -> None:
    plan = proposed("매일 9시에 https://a.example/ 새 상품을 받은함으로")

    assert [(rule.host, rule.path) for rule in plan.agent_file.manifest.hosts] == [("a.example", "")]


def test_slack_asks_for_its_webhook_by_name_and_not_as_a_host() -> None:
    plan = proposed(FULL, secrets=frozenset({"SLACK_WEBHOOK_URL"}))

    assert [(need.name, need.host, need.known) for need in plan.secrets] == [
        ("SLACK_WEBHOOK_URL", "hooks.slack.com", True)
    ]
    assert plan.agent_file.manifest.secrets == ()
    assert "hooks.slack.com" not in {rule.host for rule in plan.agent_file.manifest.hosts}


def test_agent_file_keeps_the_rules_and_survives_its_own_text() -> None:
    for text in (FULL, EXAMPLES[0].text_ko, EXAMPLES[0].text_en, "한글.kr/새상품을 매일 9시 받은함으로 확인"):
        agent_file = proposed(text).agent_file
        check_agent_file(agent_file)
        assert parse(dump(agent_file)) == agent_file
        assert is_vacuous(agent_file.contract) is None


def test_bundle_holds_code_settings_and_readme() -> None:
    plan = proposed(FULL)
    settings = json.loads(plan.files["settings.json"])

    assert {"main.py", "settings.json", "README.md", "pagewatch/extract.py"} <= set(plan.files)
    assert [source["address"] for source in settings["sources"]][2] == "http://c.example:8080/shop"
    assert (settings["keywords"], settings["channels"], settings["pace_s"]) == (True, ["slack"], 1.0)
    assert unpack(pack({**plan.files, "agent.toml": dump(plan.agent_file).encode()}))["main.py"]
    assert b"--hash=sha256:" in plan.requirements_lock
    assert b"://" not in plan.requirements_lock
    assert {package.name for package in plan.packages} == set(plan.agent_file.agent.packages)


def test_plan_says_what_was_found_and_costs_no_tokens() -> None:
    plan = proposed(FULL)

    assert plan.found[0] == "a.example/new: 상품 24개를 찾았어요 (JSON-LD). 맞나요? 예: 울 니트, 린넨 셔츠"
    assert plan.estimate.tokens == 0
    assert all("{" not in sentence for sentence in (*plan.steps, *plan.wont, *plan.found, plan.summary))


def test_part_that_will_not_be_done_is_said() -> None:
    plan = proposed("매일 9시에 https://a.example/new 새 상품을 찾아 주문까지 하고 슬랙과 메일로 알려 줘")

    assert any("주문" in sentence for sentence in plan.wont)
    assert any("이메일" in sentence for sentence in plan.wont)


@pytest.mark.parametrize("problem", ["robots", "login", "needs_browser", "http_503", "timeout", "weird"])
def test_page_that_cannot_be_read_is_named_before_planning(problem: str) -> None:
    state = TalkState(messages=(FULL,))
    look = next_step(state)
    assert isinstance(look, Look)
    looks = {address: seen(address) for address in look.addresses}
    broken = "https://b.example/list"
    looks[broken] = LookFound(broken, False, problem=problem)

    step = next_step(replace(state, looks=looks))
    kept = next_step(replace(state, looks=looks, answers={"unreadable": ONLY_READABLE}))
    other = next_step(replace(state, looks=looks, answers={"unreadable": "https://d.example/x"}))

    assert isinstance(step, Ask)
    assert "b.example/list" in step.note
    assert isinstance(kept, Propose)
    assert all(rule.host != "b.example" for rule in kept.agent_file.manifest.hosts)
    assert other == Look(("https://d.example/x",))


def test_replacement_that_cannot_be_read_either_is_asked_about_again() -> None:
    first, other = "https://b.example/list", "https://d.example/x"
    text = f"매일 9시에 https://a.example/new 와 {first} 새 상품 받은함"
    looks = {address: LookFound(address, False, problem="login") for address in (first, other)}
    looks["https://a.example/new"] = seen("https://a.example/new")

    step = next_step(TalkState(messages=(text,), looks=looks, answers={"unreadable": other}))

    assert isinstance(step, Ask)
    assert "d.example/x" in step.note
    assert "b.example" not in step.note


def test_entrance_of_the_practice_host_means_its_shops() -> None:
    step = next_step(TalkState(messages=("practice.agentbuilder.test 새 상품을 매일 9시에 받은함으로",)))

    assert step == Look(practice_addresses())


def test_nothing_readable_is_refused_with_the_reason() -> None:
    state = TalkState(messages=("매일 9시에 https://a.example/new 새 상품 받은함",))
    looks = {"https://a.example/new": LookFound("https://a.example/new", False, problem="robots")}

    step = next_step(replace(state, looks=looks))

    assert isinstance(step, Refuse)
    assert "robots.txt" in step.text


def test_page_that_moved_within_its_site_is_looked_at_there() -> None:
    state = TalkState(messages=("매일 9시에 http://a.example/new 새 상품 받은함",))
    moved = LookFound(
        "http://a.example/new", False, problem="moved", final_address="https://www.a.example/new"
    )
    first = next_step(replace(state, looks={moved.address: moved}))
    looks = {moved.address: moved, moved.final_address: seen(moved.final_address)}

    plan = next_step(replace(state, looks=looks))

    assert first == Look(("https://www.a.example/new",))
    assert isinstance(plan, Propose)
    assert plan.agent_file.manifest.hosts[0].host == "www.a.example"


def test_page_that_moved_elsewhere_is_not_followed() -> None:
    state = TalkState(messages=("매일 9시에 http://a.example/new 새 상품 받은함",))
    moved = LookFound("http://a.example/new", False, problem="moved", final_address="https://evil.example/")

    assert isinstance(next_step(replace(state, looks={moved.address: moved})), Refuse)


def test_more_than_five_addresses_are_refused_with_a_smaller_request() -> None:
    text = " ".join(f"https://s{number}.example/new" for number in range(7))

    step = next_step(TalkState(messages=(f"매일 9시에 {text} 새 상품 받은함",)))

    assert isinstance(step, Refuse)
    assert "s4.example" in step.suggestions[0]


def test_secret_in_a_message_is_never_repeated() -> None:
    hook = "https://hooks.slack.com/services/T0000/B0000/abcdefghijkl"

    step = after_looking(TalkState(messages=(f"{FULL} {hook} 비밀번호가 든 https://u:pw12345@a.example/x",)))

    assert isinstance(step, Propose)
    everything = repr(step)
    assert "abcdefghijkl" not in everything
    assert "pw12345" not in everything


@pytest.mark.parametrize(
    "piece",
    [
        "a.",
        "가",
        "신제품",
        "https://a.kr/가",
        "https://a/",
        "a.com ",
        "x 말고 ",
        "one competitor ",
        "9시 ",
        "매일 ",
        ")",
    ],
)
def test_hundred_kilobytes_of_anything_get_an_answer(piece: str) -> None:
    text = (piece * 100_000)[:100_000]

    for start in ("", "신제품 ", "https://a.kr/"):
        step = next_step(TalkState(messages=(start + text,), answers={"addresses": text}))
        assert isinstance(step, Ask | Look | Refuse)


def test_same_state_gives_the_same_plan() -> None:
    assert proposed(FULL) == proposed(FULL)
