"""agent.llm() before a server that answers as the Messages API does: what is asked, what comes back, what is said."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from agent import AgentError, llm


@dataclass
class Server:
    url: str = ""
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    status: int = 200
    answer: object = None

    def says(self, *blocks: object, stopped: str = "end_turn") -> None:
        self.answer = {"stop_reason": stopped, "content": list(blocks)}


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            made.asked.append((f"{self.path} {self.headers['x-api-key']}", body))
            data = made.answer if isinstance(made.answer, bytes) else json.dumps(made.answer).encode()
            self.send_response(made.status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
    made.url = f"http://127.0.0.1:{http.server_address[1]}"
    yield made
    http.shutdown()
    http.server_close()


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AGENT_MODEL_URL", "AGENT_JOB", "AGENT_MODEL", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def online(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv("AGENT_MODEL_URL", server.url)
    monkeypatch.setenv("AGENT_JOB", "/job.json")
    return server


def test_a_text_is_asked_and_a_text_comes_back(online: Server) -> None:
    online.says(
        {"type": "thinking", "thinking": "음"}, {"type": "text", "text": "네"}, {"type": "text", "text": "요"}
    )

    assert llm("안녕", system="짧게", max_tokens=50) == "네요"
    ((place, body),) = online.asked
    assert place == "/v1/messages none"
    assert body == {
        "model": "default",
        "max_tokens": 50,
        "system": "짧게",
        "messages": [{"role": "user", "content": "안녕"}],
    }


def test_with_a_schema_a_dictionary_comes_back(online: Server) -> None:
    schema = {"type": "object", "properties": {"mood": {"type": "string"}}}
    online.says({"type": "tool_use", "name": "answer", "input": {"mood": "좋음"}}, stopped="tool_use")

    assert llm("기분은?", schema=schema, model="claude-haiku-4-5") == {"mood": "좋음"}
    body = online.asked[0][1]
    assert body["model"] == "claude-haiku-4-5"
    assert body["tools"] == [{"name": "answer", "input_schema": schema}]
    assert body["tool_choice"] == {"type": "tool", "name": "answer"}


@pytest.mark.parametrize(
    ("status", "answer", "code", "said"),
    [
        (200, {"stop_reason": "max_tokens", "content": []}, "cut_off", "max_tokens"),
        (200, {"stop_reason": "refusal", "content": []}, "refusal", "declined"),
        (200, b"<html>", "unreadable", "could not be read"),
        (200, [], "unreadable", "could not be read"),
        (403, {"code": "no_tokens", "detail": "x"}, "no_tokens", "tokens = { per_run"),
        (
            402,
            {"error": {"code": "lease_full", "message": "토큰이 모자라요"}},
            "lease_full",
            "토큰이 모자라요",
        ),
        (429, {"error": {"type": "rate_limit_error", "message": "slow"}}, "rate_limit_error", "slow"),
        (500, b"oops", "500", "500"),
    ],
)
def test_what_goes_wrong_is_one_error_with_a_code(
    online: Server, status: int, answer: object, code: str, said: str
) -> None:
    online.status, online.answer = status, answer

    with pytest.raises(AgentError) as caught:
        llm("안녕")

    assert caught.value.code == code
    assert said in str(caught.value)
    assert len(online.asked) == 1


def test_an_answer_without_what_the_schema_wanted_is_said_to_be_none(online: Server) -> None:
    online.says({"type": "text", "text": "글쎄요"})

    with pytest.raises(AgentError) as caught:
        llm("기분은?", schema={"type": "object"})

    assert caught.value.code == "unreadable"


def test_where_nobody_listens_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_MODEL_URL", "http://127.0.0.1:9")

    with pytest.raises(AgentError) as caught:
        llm("안녕")

    assert caught.value.code == "unreachable"


def test_a_run_without_tokens_is_told_what_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_JOB", "/job.json")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a secret of the agent")

    with pytest.raises(AgentError) as caught:
        llm("안녕")

    assert caught.value.code == "no_tokens"


def test_offline_a_persons_own_key_and_model_are_used(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.says({"type": "text", "text": "네"})
    with pytest.raises(AgentError) as caught:
        llm("안녕")
    assert caught.value.code == "offline"

    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-mine")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url + "/")
    monkeypatch.setenv("AGENT_MODEL", "claude-x")
    assert llm("안녕") == "네"
    assert server.asked[0][0] == "/v1/messages sk-mine"
    assert server.asked[0][1]["model"] == "claude-x"
