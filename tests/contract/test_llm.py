"""What the Llm port of services/planner/ports.py promises: by the scripted one and by the API's own client."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from services.planner.adapters.anthropic import AnthropicLlm
from services.planner.ports import (
    Alive,
    Llm,
    LlmAnswer,
    LlmEvent,
    LlmRequest,
    Message,
    Opaque,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolCallDone,
    ToolCallStarted,
    ToolInputDelta,
    ToolResult,
    Usage,
)
from shared.clock import Clock, FakeClock, SystemClock
from shared.errors import (
    BadRequest,
    Interrupted,
    Misconfigured,
    ProjectError,
    TooLarge,
    Unavailable,
)
from tests.fakes.llm import ScriptedLlm
from tests.fakes.llm_script import (
    USAGE,
    Answer,
    Asked,
    Call,
    Cut,
    Do,
    Fail,
    Garbage,
    Item,
    Ping,
    Raw,
    Refuse,
    Reply,
    Say,
    Scripted,
    Silence,
    Think,
    Truncate,
)
from tests.fakes.messages_server import KEY, MessagesServer
from tests.fakes.prompt_cache import PromptCache

Play = Callable[..., "Playing"]
MODEL = "claude-of-this-test"
HELLO = Message("user", (Text("안녕하세요"),))
LONG_S = 60.0


@dataclass(frozen=True)
class Playing:
    """A model and what can be seen of its other side."""

    llm: Llm
    player: ScriptedLlm | MessagesServer

    @property
    def asked(self) -> int:
        return len(self.player.requests)

    def ask(self, *messages: Message, **fields: Any) -> list[LlmEvent]:
        return list(self.llm.stream(request(*messages, **fields)))

    def answer(self, **fields: Any) -> LlmAnswer:
        last = self.ask(**fields)[-1]
        assert isinstance(last, LlmAnswer)
        return last


def request(*messages: Message, **fields: Any) -> LlmRequest:
    settings: dict[str, Any] = {"model": MODEL, "max_output_tokens": 500, "limit_s": 600.0}
    return LlmRequest(messages=messages or (HELLO,), **(settings | fields))


@pytest.fixture(params=["scripted", "anthropic"])
def play(request: pytest.FixtureRequest) -> Iterator[Play]:
    with ExitStack() as stack:

        def start(
            *script: Scripted,
            clock: Clock | None = None,
            silence_s: float = LONG_S,
            cache: PromptCache | None = None,
        ) -> Playing:
            clock = clock or SystemClock()
            if request.param == "scripted":
                fake = ScriptedLlm(*script, clock=clock, silence_s=silence_s, cache=cache)
                return Playing(fake, fake)
            server = stack.enter_context(MessagesServer(*script, cache=cache))
            real = AnthropicLlm(KEY, server.url, clock, silence_s=silence_s)
            stack.callback(real.close)
            return Playing(real, server)

        yield start


def texts(events: list[LlmEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


# -- an answer ------------------------------------------------------------------------------------------------


def test_text_comes_in_pieces_and_whole_when_the_model_speaks(play: Play) -> None:
    events = play(Reply((Say("신제품을 찾았어요 😀 now", every=3),))).ask()

    *deltas, answer = events
    assert all(isinstance(event, TextDelta) for event in deltas)
    assert len(deltas) > 3
    assert texts(events) == "신제품을 찾았어요 😀 now"
    assert isinstance(answer, LlmAnswer)
    assert answer.blocks == (Text("신제품을 찾았어요 😀 now"),)
    assert answer.stop_reason == "end_turn"
    assert answer.usage == USAGE
    assert answer.model == MODEL
    assert answer.request_id


def test_exactly_one_answer_ends_the_stream_when_there_was_more_than_one_block(play: Play) -> None:
    events = play(Reply((Say("a"), Call("look", {}), Say("b")))).ask()

    assert [isinstance(event, LlmAnswer) for event in events].count(True) == 1
    assert isinstance(events[-1], LlmAnswer)
    assert events[-1].text == "ab"


def test_a_piece_arrives_when_the_model_is_still_writing(play: Play) -> None:
    goes_on = threading.Event()
    playing = play(Reply((Say("first"), Do(lambda: goes_on.wait(LONG_S)), Say("second"))))

    stream = playing.llm.stream(request())
    first = next(stream)
    assert not goes_on.is_set()
    goes_on.set()

    assert first == TextDelta(0, "first")
    assert texts(list(stream)) == "second"


def test_thinking_keeps_its_signature_when_it_comes_before_the_text(play: Play) -> None:
    events = play(Reply((Think("let me see", signature="sig=="), Say("done")))).ask()

    thought = "".join(event.text for event in events if isinstance(event, ThinkingDelta))
    assert thought == "let me see"
    assert isinstance(events[-1], LlmAnswer)
    assert events[-1].blocks == (Thinking("let me see", "sig=="), Text("done"))


@pytest.mark.parametrize("every", [1, 2, 5, 1000])
def test_a_call_is_put_together_when_its_input_is_split_anywhere(play: Play, every: int) -> None:
    wanted = {"address": 'https://상점.example/"a"\\n', "pages": [1, {"깊이": None}], "yes": True}
    events = play(Reply((Say("go"), Call("look", wanted, id="toolu_7", every=every)))).ask()

    started, *middle, done, answer = [event for event in events if not isinstance(event, TextDelta)]
    assert started == ToolCallStarted(1, "toolu_7", "look")
    assert isinstance(done, ToolCallDone)
    assert done.call.input == wanted
    pieces = [event for event in middle if isinstance(event, ToolInputDelta)]
    assert len(pieces) == len(middle)
    assert "".join(event.json for event in pieces) == done.call.raw
    assert isinstance(answer, LlmAnswer)
    assert answer.stop_reason == "tool_use"
    assert answer.calls == (done.call,)


def test_calls_keep_their_order_when_there_are_several_at_once(play: Play) -> None:
    calls = (Call("look", {"n": 1}, id="a"), Call("look", {"n": 2}, id="b"), Call("finish", id="c"))
    answer = play(Reply(calls)).answer()

    assert [(call.id, call.input) for call in answer.calls] == [("a", {"n": 1}), ("b", {"n": 2}), ("c", {})]


@pytest.mark.parametrize(
    "raw", ['{"a": }', '{"a": 1', '["no", "object"]', '"text"', '{"a": "\\x"}', "{'a': 1}", '{"a": 1}}']
)
def test_a_call_has_no_input_when_what_the_model_wrote_is_no_object(play: Play, raw: str) -> None:
    answer = play(Reply((Call("look", raw=raw),))).answer()

    assert answer.calls == (ToolCall("toolu_1", "look", None, raw),)
    assert answer.usage == USAGE


@pytest.mark.parametrize("raw", ["", '{"addr', '{"address": "https://'])
def test_a_call_has_no_input_when_the_answer_ended_inside_it(play: Play, raw: str) -> None:
    answer = play(Reply((Say("go"), Call("look", raw=raw)), stop_reason="max_tokens")).answer()

    assert answer.stop_reason == "max_tokens"
    assert answer.calls[0].input is None


def test_alive_is_said_when_the_server_only_pings(play: Play) -> None:
    events = play(Reply((Ping(), Say("a"), Ping(), Ping()))).ask()

    assert [event for event in events if isinstance(event, Alive)] == [Alive()] * 3


def test_a_block_of_another_type_is_kept_as_it_came(play: Play) -> None:
    block = {"type": "redacted_thinking", "data": "c2VjcmV0"}
    answer = play(Reply((Raw(block), Say("done")))).answer()

    assert answer.blocks == (Opaque(block), Text("done"))


def test_usage_tells_cache_and_thinking_apart_when_the_server_does(play: Play) -> None:
    usage = Usage(input=3, output=40, cache_read=9000, cache_write_5m=100, cache_write_1h=20, thinking=30)
    answer = play(Reply((Say("a"),), usage=usage)).answer()

    assert answer.usage == usage
    assert answer.usage is not None
    assert answer.usage.total == 3 + 40 + 9000 + 100 + 20


@pytest.mark.parametrize(
    ("said", "reason", "detail"),
    [
        ("end_turn", "end_turn", ""),
        ("stop_sequence", "stop_sequence", ""),
        ("pause_turn", "pause_turn", ""),
        ("model_context_window_exceeded", "context_window", ""),
        ("invented_next_year", "other", "invented_next_year"),
    ],
)
def test_an_empty_answer_is_an_answer_whatever_it_stopped_for(
    play: Play, said: str, reason: str, detail: str
) -> None:
    answer = play(Reply(stop_reason=said)).answer()

    assert (answer.blocks, answer.text) == ((), "")
    assert (answer.stop_reason, answer.stop_detail) == (reason, detail)
    assert answer.usage == USAGE


def test_a_refusal_says_why_when_the_server_tells(play: Play) -> None:
    details = {"category": "cyber", "explanation": "could harm"}
    answer = play(Reply(stop_reason="refusal", stop_details=details)).answer()

    assert (answer.stop_reason, answer.stop_detail) == ("refusal", "cyber: could harm")


# -- a conversation -------------------------------------------------------------------------------------------


def test_an_answer_goes_back_unchanged_when_results_follow(play: Play) -> None:
    redacted = Raw({"type": "redacted_thinking", "data": "eA=="})
    first = Reply(
        (Think("hm"), redacted, Say("go"), Call("look", {"n": 1}, id="a"), Call("x", raw="{", id="b"))
    )
    playing = play(first, Reply((Say("done"),)))

    asked = playing.answer()
    results = Message("user", (ToolResult("a", "24 rows"), ToolResult("b", "", failed=True)))
    second = playing.ask(HELLO, Message("assistant", asked.blocks), results)

    assert texts(second) == "done"
    assert playing.asked == 2


def test_a_script_answers_what_it_was_told(play: Play) -> None:
    def rows(asked: Asked) -> Reply:
        return Reply((Say(f"{asked.results['a'].split()[0]} of {asked.said[0]}"),))

    playing = play(Reply((Call("look", {}, id="a"),)), Answer(rows))
    asked = playing.answer()
    told = Message("user", (ToolResult("a", "24 rows"),))

    assert texts(playing.ask(HELLO, Message("assistant", asked.blocks), told)) == "24 of 안녕하세요"


def test_a_model_that_goes_in_circles_never_runs_out_of_answers(play: Play) -> None:
    playing = play(Answer(lambda asked: Reply((Say("again"),)), always=True), Reply((Say("never"),)))

    assert [playing.answer().text for _ in range(3)] == ["again"] * 3


def test_a_request_reads_what_the_one_before_it_left_ready(play: Play) -> None:
    playing = play(Reply((Say("done " * 40),)), Reply((Say("done"),)), Reply(), cache=PromptCache())
    system = (Text("Be short. " * 90, cache="5m"),)

    counted = playing.llm.count(request(system=system))
    first, second = (playing.answer(system=system).usage for _ in range(2))
    other = playing.answer(system=(Text("Be long. " * 90, cache="5m"),)).usage

    assert first is not None
    assert second is not None
    assert other is not None
    assert first.cache_write_5m == second.cache_read > 200
    assert (first.cache_read, second.cache_write_5m, other.cache_read) == (0, 0, 0)
    assert counted == first.total - first.output == second.total - second.output
    assert first.output == 50 > second.output == 1


def test_a_call_without_result_is_refused_and_named(play: Play) -> None:
    playing = play(Reply((Call("look", {}, id="a"),)), Reply())
    asked = playing.answer()

    with pytest.raises(BadRequest, match="tool_result") as refusal:
        playing.ask(HELLO, Message("assistant", asked.blocks), HELLO)
    assert refusal.value.code == "request_refused"


def test_empty_texts_are_left_out_when_a_message_holds_some(play: Play) -> None:
    playing = play(Reply((Say("hi"),)))

    assert texts(playing.ask(Message("user", (Text(""), Text("a"))), system=(Text(""),))) == "hi"


def test_tokens_are_counted_before_anything_is_asked(play: Play) -> None:
    playing = play()
    playing.player.tokens = 4711

    assert playing.llm.count(request()) == 4711


def test_counting_is_refused_as_asking_is_when_the_limit_of_the_key_is_reached(play: Play) -> None:
    playing = play(Refuse(429, "rate_limit_error", retry_after="7"))

    with pytest.raises(Unavailable) as refusal:
        playing.llm.count(request())
    assert (refusal.value.code, refusal.value.retry_after_s) == ("rate_limited", 7.0)


def test_eight_streams_do_not_mix_when_they_run_at_once(play: Play) -> None:
    playing = play(*[Reply((Say(f"answer {n} " * 20), Call("look", {"n": n}))) for n in range(8)])

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: playing.answer(), range(8)))

    numbers = sorted(call.input["n"] for answer in answers for call in answer.calls if call.input)  # type: ignore[type-var]
    assert numbers == list(range(8))
    for answer in answers:
        assert answer.calls[0].input is not None
        assert answer.text == f"answer {answer.calls[0].input['n']} " * 20


# -- refused before it began: nothing was used ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("refusal", "kind", "code"),
    [
        (Refuse(401, "authentication_error"), Misconfigured, "key_refused"),
        (Refuse(403, "permission_error"), Misconfigured, "key_refused"),
        (Refuse(402, "billing_error"), Misconfigured, "no_credit"),
        (Refuse(400, "invalid_request_error", "Your credit balance is too low"), Misconfigured, "no_credit"),
        (Refuse(404, "not_found_error", "model: x"), Misconfigured, "model_unknown"),
        (Refuse(307, "", ""), Misconfigured, "server_refused"),
        (Refuse(413, "request_too_large"), TooLarge, "context_window"),
        (Refuse(400, "invalid_request_error", "prompt is too long: 9 > 8"), TooLarge, "context_window"),
        (Refuse(400, "invalid_request_error", "tools.0: bad"), BadRequest, "request_refused"),
        (Refuse(429, "rate_limit_error"), Unavailable, "rate_limited"),
        (Refuse(529, "overloaded_error"), Unavailable, "overloaded"),
        (Refuse(503, "api_error"), Unavailable, "overloaded"),
    ],
)
def test_a_refusal_uses_nothing_and_says_what_to_do(
    play: Play, refusal: Refuse, kind: type[ProjectError], code: str
) -> None:
    playing = play(refusal, Reply((Say("next try"),)))

    with pytest.raises(kind) as error:
        playing.ask()
    assert type(error.value) is kind
    assert error.value.code == code
    assert error.value.detail.endswith("." if code != "request_refused" else "bad")
    assert KEY not in error.value.detail
    assert playing.asked == 1
    assert playing.answer().text == "next try"


@pytest.mark.parametrize(("header", "seconds"), [("12", 12.0), ("0.5", 0.5), (None, None)])
def test_the_time_to_wait_is_told_when_the_server_names_it(
    play: Play, header: str | None, seconds: float | None
) -> None:
    with pytest.raises(Unavailable) as error:
        play(Refuse(529, "overloaded_error", retry_after=header)).ask()
    assert error.value.retry_after_s == seconds


# -- it had begun: what was used is unknown --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Cut(), "cut"),
        (Cut(reset=True), "cut"),
        (Truncate(), "unfinished"),
        (Fail("overloaded_error", "Overloaded"), "overloaded"),
        (Fail("rate_limit_error", "slow down"), "rate_limited"),
        (Fail("api_error", "Internal server error"), "failed"),
        (Garbage(), "garbled"),
        (Garbage('{"type": "content_block_delta", "index": 9, "delta": {"type": "text_delta"}}'), "garbled"),
        (Garbage("[]"), "garbled"),
    ],
)
@pytest.mark.parametrize(
    "before",
    [(), (Say("half a sen", open=True),), (Say("a"), Call("look", raw='{"addr', open=True)), (Ping(),)],
    ids=["at once", "in text", "in a call", "after a ping"],
)
def test_an_answer_that_breaks_off_is_an_error_and_the_next_try_works(
    play: Play, fault: Item, code: str, before: tuple[Item, ...]
) -> None:
    playing = play(Reply((*before, fault)), Reply((Say("next try"),)))
    seen: list[LlmEvent] = []

    with pytest.raises(Interrupted) as error:
        seen.extend(playing.llm.stream(request()))

    assert type(error.value) is Interrupted
    assert error.value.code == code
    assert error.value.detail.endswith(".")
    assert playing.asked == 1
    assert playing.answer().text == "next try"


def test_what_was_said_stays_said_when_the_answer_breaks_off(play: Play) -> None:
    stream = play(Reply((Say("half a sen", open=True), Cut()))).llm.stream(request())

    assert next(stream) == TextDelta(0, "half a sen")
    with pytest.raises(Interrupted):
        list(stream)


def test_a_server_error_may_have_used_something_when_nobody_can_know(play: Play) -> None:
    with pytest.raises(Interrupted) as error:
        play(Refuse(500, "api_error", "Internal server error")).ask()
    assert error.value.code == "failed"


def test_the_call_is_given_up_when_the_server_falls_silent(play: Play) -> None:
    playing = play(Reply((Say("a"), Silence())), silence_s=0.3)

    with pytest.raises(Interrupted) as error:
        playing.ask()
    assert error.value.code == "silent"
    assert playing.player.left.wait(LONG_S)


def test_the_call_is_given_up_when_its_time_is_over_although_pings_arrive(play: Play) -> None:
    clock = FakeClock()
    late = Do(lambda: clock.advance(seconds=601))
    playing = play(Reply((Say("a", open=True), late, Ping(), Silence())), clock=clock)

    with pytest.raises(Interrupted) as error:
        playing.ask(limit_s=600)
    assert error.value.code == "overdue"
    assert playing.player.left.wait(LONG_S)


@pytest.mark.parametrize("fault", [Cut(), Cut(reset=True), Truncate(), Fail(), Garbage()])
def test_an_answer_counts_when_only_its_goodbye_is_missing(
    play: Play, fault: Cut | Truncate | Fail | Garbage
) -> None:
    answer = play(Reply((Say("all of it"),), fault_after_stop=fault)).answer()

    assert (answer.text, answer.usage) == ("all of it", USAGE)


# -- cancelling ----------------------------------------------------------------------------------------------


def test_nothing_is_sent_before_the_first_event_is_wanted(play: Play) -> None:
    playing = play(Reply((Say("a"),)))

    stream = playing.llm.stream(request())
    stream.close()

    assert playing.asked == 0


def test_the_connection_is_closed_when_the_stream_is(play: Play) -> None:
    playing = play(Reply((Say("a"), Silence())), Reply((Say("next"),)))
    stream = playing.llm.stream(request())
    next(stream)

    stream.close()

    assert playing.player.left.wait(LONG_S)
    assert playing.answer().text == "next"
