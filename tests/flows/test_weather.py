"""Bad weather between the builder and its model, over real HTTP: one clear sentence, nothing lost, the budget
holds, and what the person says next goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import pytest

from tests.fakes.llm_script import (
    Answer,
    Asked,
    Call,
    Cut,
    Fail,
    Garbage,
    Ping,
    Refuse,
    Reply,
    Say,
    Scripted,
    Silence,
    Truncate,
)
from tests.fakes.messages_server import KEY, MessagesServer
from tests.fakes.prompt_cache import PromptCache
from tests.flows.house import new_house
from tests.flows.person import Json
from tests.flows.sites.places import Sites
from tests.flows.weather import Inside, free, steps

# Ten minutes in small: the setting is what a silence is measured by, so the test need not wait longer.
SILENCE_S = "1.5"


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    with ExitStack() as stack:
        claude = stack.enter_context(MessagesServer(cache=PromptCache()))
        sites = Sites()
        stack.callback(sites.close)
        house = new_house(tmp_path_factory.mktemp("weather"), open_ports=(sites.port,))
        house.environment |= {
            "ANTHROPIC_API_KEY": KEY,
            "ANTHROPIC_BASE_URL": claude.url,
            "AB_MODEL_SILENCE_S": SILENCE_S,
            "AB_MONTH_TOKENS": "50000000",
        }
        stack.callback(house.close)
        house.open()
        yield Inside(house, claude, sites)


BUSY = Refuse(429, "rate_limit_error", retry_after="5")
BROKEN = Refuse(500, "api_error", "Internal server error", counted=False)
WAITED_OUT = [
    pytest.param(BUSY, "rate_limited", 5.0, id="too many requests, said to counting"),
    pytest.param(
        Refuse(429, "rate_limit_error", counted=False, retry_after="5"),
        "rate_limited",
        5.0,
        id="too many requests",
    ),
    pytest.param(Refuse(529, "overloaded_error", counted=False), "overloaded", 2.0, id="overloaded before"),
    pytest.param(Reply((Say("이렇게"), Fail())), "overloaded", 2.0, id="overloaded in mid-stream"),
    pytest.param(Reply((Say("이렇게", open=True), Cut())), "cut", 2.0, id="cut"),
    pytest.param(Reply((Ping(), Cut(reset=True))), "cut", 2.0, id="reset"),
    pytest.param(Reply((Say("이렇게", open=True), Truncate())), "unfinished", 2.0, id="cleanly truncated"),
    pytest.param(Reply((Say("이"), Garbage())), "garbled", 2.0, id="garbled"),
    pytest.param(Reply((Silence(),)), "silent", 2.0, id="silent from the start"),
    pytest.param(Reply((Say("이렇", open=True), Silence())), "silent", 2.0, id="silent in mid-word"),
    pytest.param(BROKEN, "failed", 2.0, id="broken server"),
]


@pytest.mark.deployed
@pytest.mark.slow(seconds=90)
@pytest.mark.parametrize(("trouble", "code", "seconds"), WAITED_OUT)
def test_weather_that_passes_is_waited_out(
    inside: Inside, trouble: Reply | Refuse, code: str, seconds: float
) -> None:
    talk = inside.talk()
    talk.begins(trouble, Reply((inside.plan(),)))

    proposed = talk.proposed()

    assert [waiting["seconds"] for waiting in steps(proposed, "waiting")] == [seconds]
    assert [m for m in proposed["messages"] if m["kind"] == "result"] == []


# Fewer than above: three waits each. Every sentence in both languages is held by the planner's own tests.
STAYS = [
    pytest.param(BUSY, "rate_limited", "ko", id="too many requests"),
    pytest.param(Refuse(529, "overloaded_error", counted=False), "overloaded", "en", id="overloaded before"),
    pytest.param(Reply((Say("이렇게"), Fail())), "overloaded", "ko", id="overloaded in mid-stream"),
    pytest.param(Reply((Say("이렇게", open=True), Cut())), "cut", "en", id="cut"),
    pytest.param(Reply((Say("이렇게", open=True), Truncate())), "unfinished", "ko", id="cleanly truncated"),
    pytest.param(Reply((Say("이"), Garbage())), "garbled", "en", id="garbled"),
    pytest.param(Reply((Silence(),)), "silent", "ko", id="silent"),
]


@pytest.mark.deployed
@pytest.mark.slow(seconds=90)
@pytest.mark.parametrize(("trouble", "code", "language"), STAYS)
def test_weather_that_stays_is_said_once_and_the_next_message_works(
    inside: Inside, trouble: Reply | Refuse, code: str, language: str
) -> None:
    talk = inside.talk(language)
    talk.begins(*[trouble] * (4 if free(trouble) else 3))  # the answer's lease pays three that break off

    assert len(steps(talk.failed(code), "waiting")) == 3
    talk.goes_on()


def asks(number: int) -> Reply:
    question = {"id": f"q{number}", "text": f"{number}번째로 여쭐게요?", "kind": "text"}
    return Reply((Call("ask_user", {"questions": [question]}),))


STOPPED = [
    pytest.param((Reply(stop_reason="refusal"),), "refusal", id="refusal"),
    pytest.param((Reply((Say("이건"),), stop_reason="refusal"),), "refusal", id="refusal in mid-word"),
    pytest.param((Reply(), Reply()), "empty", id="empty twice"),
    pytest.param((Reply((Call("read_file", {"path": "main.py"}),)),) * 3, "looping", id="loop"),
    pytest.param((Refuse(401, "authentication_error"),), "key_refused", id="key refused"),
    pytest.param((Refuse(404, "not_found_error", counted=False),), "model_unknown", id="no such model"),
    pytest.param(
        (Refuse(400, "invalid_request_error", "Your credit balance is too low", counted=False),),
        "no_credit",
        id="no credit",
    ),
    pytest.param(
        (Refuse(400, "invalid_request_error", "prompt is too long: 300000 tokens", counted=False),),
        "context_window",
        id="more than it can read",
    ),
    pytest.param(
        (Refuse(429, "rate_limit_error", counted=False, retry_after="3600"),),
        "rate_limited",
        id="a wait of an hour",
    ),
]


@pytest.mark.deployed
@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize(("script", "code"), STOPPED)
def test_what_no_waiting_mends_is_said_once_and_the_next_message_works(
    inside: Inside, script: tuple[Scripted, ...], code: str, language: str
) -> None:
    talk = inside.talk(language)
    talk.begins(*script)

    assert steps(talk.failed(code), "waiting") == []
    talk.goes_on()


CUT_OFF = Reply((Call("propose_plan", raw='{"name": "공'),), stop_reason="max_tokens")
ODD = [
    pytest.param(Reply((Call("fly", {}),)), "There is no tool 'fly'", id="unknown tool"),
    pytest.param(Reply((Call("look", raw='{"addresses": ['),)), "not JSON", id="malformed input"),
    pytest.param(Reply((Call("look", raw='["http://x/"]'),)), "not JSON", id="input that is no object"),
    pytest.param(CUT_OFF, "cut off", id="cut off inside a call"),
    pytest.param(Reply((Call("propose_plan", {"name": "공지"}),)), "mend these", id="half a plan"),
    pytest.param(
        Reply((Call("look", {"addresses": ["http://x.example/"]}),)), "x.example", id="made-up address"
    ),
]


@pytest.mark.deployed
@pytest.mark.parametrize(("odd", "said"), ODD)
def test_a_call_that_cannot_be_done_is_the_models_to_mend(inside: Inside, odd: Reply, said: str) -> None:
    def again(asked: Asked) -> Reply:
        assert said in asked.told, asked.told
        return Reply((inside.plan(),))

    talk = inside.talk()
    talk.begins(odd, Answer(again))

    assert [m for m in talk.proposed()["messages"] if m["kind"] == "result"] == []


@pytest.mark.deployed
@pytest.mark.parametrize("said", [(), (Say("잠깐만요."),)], ids=["empty", "with words"])
def test_a_paused_answer_is_sent_back_and_goes_on(inside: Inside, said: tuple[Say, ...]) -> None:
    talk = inside.talk()
    talk.begins(Reply(said, stop_reason="pause_turn"), Reply((inside.plan(),)))

    talk.proposed()

    assert inside.claude.answered[-1][0].body["messages"][-1]["role"] == "assistant"


def has_asked(times: int, conversation: Json) -> bool:
    return sum(1 for message in conversation["messages"] if message["kind"] == "question") == times


@pytest.mark.deployed
@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_model_that_asks_for_ever_is_stopped(inside: Inside, language: str) -> None:
    talk = inside.talk(language)
    talk.begins(asks(0))
    for number in range(1, 6):
        talk.person.wait(talk.path, partial(has_asked, number))
        talk.says(f"답 {number}", asks(number))

    talk.failed("asks_forever")
    talk.goes_on()


@pytest.mark.deployed
def test_inventions_in_a_plan_never_reach_the_person(inside: Inside) -> None:
    """A host that is no host, a package nobody published, a site nobody named as a place to look."""
    wild = inside.plan(hosts=[{"host": "*.shop.example", "why": "읽어요"}])
    unpublished = inside.plan(packages=[{"name": "notice-reader-nobody-made", "why": "공지"}])
    told: list[str] = []

    def then(call: Call) -> Answer:
        def make(asked: Asked) -> Reply:
            told.append(asked.told)
            return Reply((call,))

        return Answer(make)

    talk = inside.talk()
    talk.begins(Reply((wild,)), then(unpublished), then(inside.plan()))

    proposed = talk.proposed()
    assert "hosts" in told[0], told
    assert "notice-reader-nobody-made" in told[1], told
    assert len([m for m in proposed["messages"] if m["kind"] == "plan"]) == 1
    assert proposed["plan"]["agent_file"]["agent"]["packages"] == []


@pytest.mark.deployed
def test_a_second_message_is_heard_while_the_weather_is_waited_out(inside: Inside) -> None:
    talk = inside.talk()
    talk.begins(BROKEN)
    talk.person.wait(talk.path, lambda conversation: bool(steps(conversation, "waiting")))

    def knows(asked: Asked) -> Reply:
        assert talk.heard_by(asked)
        return Reply((inside.plan(),))

    talk.says("금요일에만 알려 줘", Answer(knows))

    talk.proposed()


@pytest.mark.deployed
def test_stop_while_the_weather_is_waited_out_ends_it(inside: Inside) -> None:
    talk = inside.talk()
    talk.begins(BROKEN)
    talk.person.wait(talk.path, lambda conversation: bool(steps(conversation, "waiting")))

    talk.person.call("POST", f"{talk.path}/stop")

    talk.whole(talk.person.conversation(talk.id, "stopped", "failed", "proposed"))
    talk.goes_on()
