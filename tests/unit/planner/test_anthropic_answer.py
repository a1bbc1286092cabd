"""Answers are put together from events, also from those that our own server would not send."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.planner.adapters.anthropic_answer import Gathering
from services.planner.ports import LlmEvent, Opaque, Text, TextDelta, ToolCall, Usage
from shared.errors import Interrupted

START = {"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 5, "output_tokens": 1}}}
TEXT = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
CLOSE = {"type": "content_block_stop", "index": 0}


def stop(reason: str | None = "end_turn", **fields: Any) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason}} | fields


def delta(**fields: object) -> dict[str, object]:
    return {"type": "content_block_delta", "index": 0, "delta": fields}


def gathered(*events: object) -> tuple[Gathering, list[LlmEvent]]:
    gathering = Gathering()
    seen: list[LlmEvent] = []
    for event in events:
        seen.extend(gathering.take(event if isinstance(event, str) else json.dumps(event)))
    return gathering, seen


def test_later_counts_replace_earlier_ones_when_the_server_corrects_them() -> None:
    usage = {"input_tokens": 7, "output_tokens": 9, "cache_read_input_tokens": None}
    gathering, _ = gathered(START, stop(usage=usage))

    assert gathering.answer().usage == Usage(input=7, output=9)


@pytest.mark.parametrize(
    "usage",
    [None, {}, {"output_tokens": None}, {"output_tokens": "9"}, {"output_tokens": 9, "input_tokens": 2.5}],
)
def test_usage_is_unknown_when_the_server_never_told_the_whole_of_it(usage: object) -> None:
    gathering, _ = gathered(START, stop(usage=usage))

    assert gathering.answer().usage is None


def test_usage_is_unknown_when_only_the_output_was_told() -> None:
    gathering, _ = gathered(stop(usage={"output_tokens": 9}))

    assert gathering.answer().usage is None


def test_events_and_deltas_that_came_later_are_passed_over() -> None:
    gathering, seen = gathered(
        START, {"type": "weather"}, TEXT, delta(type="citations_delta", citation={}), CLOSE, stop()
    )

    assert seen == []
    assert gathering.answer().blocks == (Text(""),)


def test_half_a_character_becomes_a_mark_when_a_piece_ends_in_it() -> None:
    half = json.dumps(delta(type="text_delta", text="@")).replace("@", "a\\ud83d")
    whole = json.dumps(delta(type="text_delta", text="@")).replace("@", "\\ud83d\\ude00")
    _, seen = gathered(START, TEXT, half, whole)

    assert seen == [TextDelta(0, "a?"), TextDelta(0, "😀")]


@pytest.mark.parametrize("raw", ['{"a": "\\ud83d"}', '{"a": NaN}', "[" * 100_000])
def test_input_that_could_not_be_stored_is_no_input(raw: str) -> None:
    opened = TEXT | {"content_block": {"type": "tool_use", "id": "a", "name": "x", "input": {}}}
    gathering, _ = gathered(START, opened, delta(type="input_json_delta", partial_json=raw), CLOSE, stop())

    assert gathering.answer().blocks == (ToolCall("a", "x", None, raw),)


def test_input_is_taken_from_the_start_when_it_comes_in_no_pieces() -> None:
    opened = TEXT | {"content_block": {"type": "tool_use", "id": "a", "name": "x", "input": {"n": 1}}}
    gathering, _ = gathered(START, opened, CLOSE, stop("tool_use"))

    assert gathering.answer().calls[0].input == {"n": 1}


def test_a_block_of_the_server_keeps_its_input_when_that_comes_in_pieces() -> None:
    opened = TEXT | {"content_block": {"type": "server_tool_use", "id": "a", "name": "web", "input": {}}}
    piece = delta(type="input_json_delta", partial_json='{"q": "x"}')
    gathering, seen = gathered(START, opened, piece, CLOSE, stop("pause_turn"))

    assert seen == []
    assert gathering.answer().blocks == (Opaque(opened["content_block"] | {"input": {"q": "x"}}),)  # type: ignore[operator]


def test_the_sequence_that_stopped_it_is_named() -> None:
    event = {"type": "message_delta", "delta": {"stop_reason": "stop_sequence", "stop_sequence": "END"}}
    gathering, _ = gathered(START, event)

    assert gathering.answer().stop_detail == "END"


@pytest.mark.parametrize(
    "event",
    [
        "",
        "no json",
        "7",
        "null",
        "{}",
        {"type": "message_start"},
        TEXT | {"index": 3},
        TEXT | {"content_block": {}},
        {"type": "content_block_stop", "index": 0},
        delta(type="text_delta", text="no block is open"),
        {"type": "message_delta"},
        '{"type":' * 100_000,
    ],
)
def test_what_is_no_event_of_the_protocol_is_an_error_of_the_call(event: object) -> None:
    with pytest.raises(Interrupted) as error:
        gathered(event)
    assert error.value.code == "garbled"


def test_there_is_no_answer_when_nothing_said_why_it_stopped() -> None:
    gathering, _ = gathered(START, TEXT, CLOSE, stop(None))

    assert not gathering.complete
    with pytest.raises(Interrupted) as error:
        gathering.answer()
    assert error.value.code == "unfinished"
