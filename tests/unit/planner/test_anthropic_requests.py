"""What the Anthropic adapter puts on the wire, and what it leaves alone until it is used."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter

from services.planner.adapters.anthropic import AnthropicLlm
from services.planner.ports import (
    LlmRequest,
    Message,
    Opaque,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
)
from shared.clock import FakeClock, SystemClock
from shared.errors import BadRequest, Interrupted, Misconfigured, Unavailable
from tests.fakes.llm_script import Refuse, Reply, Say, Silence
from tests.fakes.messages_server import KEY, MessagesServer

TALK = (
    Message("user", (Text("page", cache="1h"), Text(""), Text("go"))),
    Message(
        "assistant",
        (
            Thinking("hm", "sig"),
            Opaque({"type": "redacted_thinking", "data": "eA=="}),
            ToolCall("a", "look", {"n": 1}, '{"n": 1}'),
            ToolCall("b", "look", None, '{"n"'),
        ),
    ),
    Message("user", (ToolResult("a", "24 rows", cache="5m"), ToolResult("b", "", failed=True))),
)


@pytest.fixture
def server() -> Iterator[MessagesServer]:
    with MessagesServer() as running:
        yield running


@pytest.fixture
def llm(server: MessagesServer) -> Iterator[AnthropicLlm]:
    opened = AnthropicLlm(KEY, server.url, SystemClock(), silence_s=60)
    yield opened
    opened.close()


def request(**fields: Any) -> LlmRequest:
    settings: dict[str, Any] = {
        "model": "claude-x",
        "messages": (Message("user", (Text("hi"),)),),
        "max_output_tokens": 500,
        "limit_s": 600.0,
    }
    return LlmRequest(**(settings | fields))


def sent(server: MessagesServer, llm: AnthropicLlm, **fields: Any) -> dict[str, Any]:
    server.enqueue(Reply((Say("ok"),)))
    list(llm.stream(request(**fields)))
    return dict(server.requests[-1].body)


def test_only_what_was_asked_is_sent_when_nothing_else_is_set(
    server: MessagesServer, llm: AnthropicLlm
) -> None:
    assert sent(server, llm) == {
        "model": "claude-x",
        "max_tokens": 500,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
        "stream": True,
    }


def test_every_kind_of_block_has_its_form_when_a_conversation_is_sent(
    server: MessagesServer, llm: AnthropicLlm
) -> None:
    first, answer, results = sent(server, llm, messages=TALK)["messages"]

    assert first["content"] == [
        {"type": "text", "text": "page", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        {"type": "text", "text": "go"},
    ]
    assert answer["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "eA=="},
        {"type": "tool_use", "id": "a", "name": "look", "input": {"n": 1}},
        {"type": "tool_use", "id": "b", "name": "look", "input": {"malformed": '{"n"'}},
    ]
    kept = {"cache_control": {"type": "ephemeral", "ttl": "5m"}}
    assert results["content"] == [
        {"type": "tool_result", "tool_use_id": "a", "is_error": False, "content": "24 rows"} | kept,
        {"type": "tool_result", "tool_use_id": "b", "is_error": True},
    ]


def test_system_tools_and_thinking_have_their_fields_when_they_are_asked_for(
    server: MessagesServer, llm: AnthropicLlm
) -> None:
    tool = Tool("look", "Reads a page.", {"type": "object"}, cache="5m")
    body = sent(
        server, llm, system=(Text("be brief"),), tools=(tool,), tool_choice="any", thinking=2048, effort="low"
    )

    assert body["system"] == [{"type": "text", "text": "be brief"}]
    assert body["tools"] == [
        {
            "name": "look",
            "description": "Reads a page.",
            "input_schema": {"type": "object"},
            "cache_control": {"type": "ephemeral", "ttl": "5m"},
        }
    ]
    assert body["tool_choice"] == {"type": "any"}
    assert body["thinking"] == {"type": "enabled", "budget_tokens": 2048, "display": "summarized"}
    assert body["output_config"] == {"effort": "low"}


@pytest.mark.parametrize(
    ("thinking", "field"),
    [("off", {"type": "disabled"}), ("adaptive", {"type": "adaptive", "display": "summarized"})],
)
def test_thinking_is_named_as_the_api_does(
    server: MessagesServer, llm: AnthropicLlm, thinking: str, field: dict[str, str]
) -> None:
    assert sent(server, llm, thinking=thinking)["thinking"] == field


def test_counting_sends_the_same_input_but_nothing_about_the_output(
    server: MessagesServer, llm: AnthropicLlm
) -> None:
    fields = {"messages": TALK, "system": (Text("be brief"),), "thinking": "off", "effort": "high"}
    asked = sent(server, llm, **fields)
    llm.count(request(**fields))

    assert server.requests[-1].path == "/v1/messages/count_tokens"
    assert server.requests[-1].body == {
        name: value for name, value in asked.items() if name not in ("stream", "max_tokens")
    }


def test_the_key_is_sent_as_bearer_and_no_retry_is_left_to_the_package(
    server: MessagesServer, llm: AnthropicLlm
) -> None:
    sent(server, llm)

    headers = server.requests[-1].headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["anthropic-version"]
    assert headers["x-stainless-retry-count"] == "0"


def test_a_connection_is_used_again_when_an_answer_was_read_to_its_end(
    server: MessagesServer, llm: AnthropicLlm
) -> None:
    sent(server, llm)
    sent(server, llm)

    assert server.requests[0].connection == server.requests[1].connection


def test_the_key_is_not_written_down_when_everything_is_logged(
    server: MessagesServer, llm: AnthropicLlm, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        sent(server, llm)

    assert "anthropic" in caplog.text
    assert KEY not in caplog.text
    assert KEY not in repr(llm)


def test_one_request_is_made_when_the_server_refuses(server: MessagesServer, llm: AnthropicLlm) -> None:
    server.enqueue(Refuse(529, "overloaded_error"), Reply())
    with pytest.raises(Unavailable):
        list(llm.stream(request()))

    assert len(server.requests) == 1


def test_the_wait_is_counted_from_now_when_the_server_names_a_date(server: MessagesServer) -> None:
    server.enqueue(Refuse(429, "rate_limit_error", retry_after="Mon, 05 Jan 2026 00:01:30 GMT"))
    llm = AnthropicLlm(KEY, server.url, FakeClock())  # its time is midnight of that day
    with pytest.raises(Unavailable) as refusal:
        list(llm.stream(request()))
    llm.close()

    assert refusal.value.retry_after_s == 90


@pytest.mark.parametrize("key", ["", "   ", "키", "sk-ant-\nx: y"])
def test_a_key_that_cannot_be_sent_is_not_sent(server: MessagesServer, key: str) -> None:
    llm = AnthropicLlm(key, server.url, SystemClock())
    with pytest.raises(Misconfigured) as refusal:
        list(llm.stream(request()))

    assert refusal.value.code == "key_refused"
    assert server.requests == []


def test_the_sentence_of_a_wrong_key_does_not_hold_it(server: MessagesServer) -> None:
    llm = AnthropicLlm("sk-ant-wrong", server.url, SystemClock())
    with pytest.raises(Misconfigured, match="does not accept the key") as refusal:
        list(llm.stream(request()))
    llm.close()

    assert "sk-ant-wrong" not in refusal.value.detail


def test_the_sentence_does_not_hold_the_key_when_the_server_repeats_it(
    server: MessagesServer, llm: AnthropicLlm
) -> None:
    server.enqueue(Refuse(400, "invalid_request_error", f"{KEY} may not do that"))
    with pytest.raises(BadRequest, match="may not do that") as refusal:
        list(llm.stream(request()))

    assert KEY not in refusal.value.detail


def test_words_and_key_stay_with_the_chosen_server_when_it_sends_us_elsewhere(
    server: MessagesServer, llm: AnthropicLlm
) -> None:
    with MessagesServer(Reply((Say("mine now"),))) as elsewhere:
        server.enqueue(Refuse(307, location=f"{elsewhere.url}/v1/messages"))
        with pytest.raises(Misconfigured) as refusal:
            list(llm.stream(request()))

        assert elsewhere.requests == []
    assert refusal.value.code == "server_refused"


def test_nothing_was_used_when_nobody_answers_at_the_address() -> None:
    with MessagesServer() as gone:
        address = gone.url
    llm = AnthropicLlm(KEY, address, SystemClock())
    with pytest.raises(Unavailable) as failure:
        list(llm.stream(request()))
    llm.close()

    assert failure.value.code == "unreachable"
    assert not isinstance(failure.value, Interrupted)


@pytest.mark.parametrize("address", ["localhost", "ftp://localhost", "http://", "http://localhost:99999999"])
def test_an_address_that_is_none_is_named_when_it_is_first_used(address: str) -> None:
    llm = AnthropicLlm(KEY, address, SystemClock())
    with pytest.raises(Unavailable, match="ANTHROPIC_BASE_URL") as failure:
        llm.count(request())
    llm.close()

    assert failure.value.code == "unreachable"


def test_a_server_that_never_begins_is_given_up_and_may_have_used_something(server: MessagesServer) -> None:
    server.enqueue(Reply((Silence(),)))
    llm = AnthropicLlm(KEY, server.url, SystemClock(), silence_s=0.3)
    with pytest.raises(Interrupted) as failure:
        list(llm.stream(request()))
    llm.close()

    assert failure.value.code == "silent"


def test_the_package_is_not_imported_before_it_is_needed() -> None:
    code = (
        "import sys, services.all_in_one, services.planner.adapters.anthropic as a; "
        "from shared.clock import SystemClock; a.AnthropicLlm('k', '', SystemClock()); "
        "sys.exit(bool({'anthropic', 'httpx2'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_conversation_comes_back_from_json_as_it_was() -> None:
    stored = TypeAdapter(tuple[Message, ...])

    assert stored.validate_json(stored.dump_json(TALK)) == TALK
