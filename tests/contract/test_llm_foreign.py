"""The Llm adapter against llmock, a Messages API server that others wrote, for what it can play."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from services.planner.adapters.anthropic import AnthropicLlm
from services.planner.ports import LlmAnswer, LlmEvent, LlmRequest, Message, Text, TextDelta, Tool, ToolResult
from shared.clock import SystemClock
from shared.errors import Interrupted, ProjectError, Unavailable
from tests.needs import unavailable

if TYPE_CHECKING:
    from llmock.scenarios import Behavior
    from llmock.testing import LLMockServer

HELLO = Message("user", (Text("What is new?"),))
LOOK = Tool("look", "Reads a page.", {"type": "object", "properties": {"address": {"type": "string"}}})


@pytest.fixture(scope="module")
def server() -> Iterator[LLMockServer]:
    if importlib.util.find_spec("llmock") is None:
        unavailable("llmock", "pip install llmock")
    from llmock.testing import LLMockServer

    with LLMockServer() as running:
        yield running


@pytest.fixture
def llm(server: LLMockServer) -> Iterator[AnthropicLlm]:
    server.state.reset()
    opened = AnthropicLlm("any", server.base_url("anthropic"), SystemClock(), silence_s=30)
    yield opened
    opened.close()


def script(server: LLMockServer, *behaviors: Behavior) -> None:
    server.state.scenarios.add(*behaviors)


def ask(llm: AnthropicLlm, *messages: Message) -> list[LlmEvent]:
    request = LlmRequest(
        "claude-any", messages or (HELLO,), max_output_tokens=500, limit_s=600, tools=(LOOK,)
    )
    return list(llm.stream(request))


def answer_of(events: list[LlmEvent]) -> LlmAnswer:
    assert isinstance(events[-1], LlmAnswer)
    return events[-1]


def test_text_streams_when_the_foreign_server_speaks(server: LLMockServer, llm: AnthropicLlm) -> None:
    from llmock.scenarios import Reply

    script(server, Reply(text="Three new products, 신제품 셋"))
    events = ask(llm)

    deltas = [event.text for event in events if isinstance(event, TextDelta)]
    answer = answer_of(events)
    assert len(deltas) > 1
    assert "".join(deltas) == answer.text == "Three new products, 신제품 셋"
    assert answer.stop_reason == "end_turn"
    assert answer.usage is not None
    assert answer.usage.input > 0
    assert answer.usage.output > 0


def test_a_tool_is_called_and_its_result_taken_when_the_foreign_server_asks(
    server: LLMockServer, llm: AnthropicLlm
) -> None:
    from llmock.scenarios import Reply, ToolCall

    wanted = {"address": "https://shop.example/new", "pages": [1, 2]}
    script(server, Reply(tool_calls=(ToolCall("look", wanted),)), Reply(text="24 products"))
    first = answer_of(ask(llm))
    result = Message("user", (ToolResult(first.calls[0].id, "24 rows"),))
    second = answer_of(ask(llm, HELLO, Message("assistant", first.blocks), result))

    assert first.stop_reason == "tool_use"
    assert [(call.name, call.input) for call in first.calls] == [("look", wanted)]
    assert second.text == "24 products"


def test_malformed_input_is_told_from_a_call_when_the_foreign_server_sends_it(
    server: LLMockServer, llm: AnthropicLlm
) -> None:
    from llmock.scenarios import ToolFault

    script(server, ToolFault("malformed_arguments"))
    call = answer_of(ask(llm)).calls[0]

    assert call.raw
    assert call.input is None


@pytest.mark.parametrize(("status", "code"), [(429, "rate_limited"), (529, "overloaded")])
def test_the_foreign_server_is_asked_once_when_it_refuses(
    server: LLMockServer, llm: AnthropicLlm, status: int, code: str
) -> None:
    from llmock.scenarios import Fail

    script(server, Fail(status, retry_after=3))
    with pytest.raises(Unavailable) as refusal:
        ask(llm)

    assert (refusal.value.code, refusal.value.retry_after_s) == (code, 3.0)
    assert not isinstance(refusal.value, Interrupted)
    assert server.state.scenarios.pending() == []


@pytest.mark.parametrize(
    ("kind", "codes"),
    [("disconnect", {"cut"}), ("truncate", {"unfinished"}), ("malformed", {"garbled"})],
)
@pytest.mark.parametrize("after", [1, 4])
def test_an_answer_is_an_error_when_the_foreign_server_breaks_it_off(
    server: LLMockServer, llm: AnthropicLlm, kind: str, codes: set[str], after: int
) -> None:
    from llmock.scenarios import Reply, StreamFault

    script(server, Reply(text="one two three four five"), StreamFault(kind, after_chunks=after))  # type: ignore[arg-type]
    with pytest.raises(ProjectError) as failure:
        ask(llm)

    assert isinstance(failure.value, Interrupted)
    assert failure.value.code in codes
    script(server, Reply(text="next try"))
    assert answer_of(ask(llm)).text == "next try"
