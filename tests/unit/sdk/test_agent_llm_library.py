"""agent.llm() before a server that answers as the Messages API does: what is asked, what comes back, what is said."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

_SDK = Path(__file__).parents[3] / "sdk"
_ASKS = """
import json, sys, agent
try:
    said = {"said": agent.llm("안녕", **json.loads(sys.argv[1]))}
except agent.AgentError as error:
    said = {"code": error.code, "text": str(error)}
print(json.dumps(said))
"""


def ask(variables: dict[str, str], **options: object) -> dict[str, Any]:
    """said: the answer; or code and text of the error. In a process with just these variables."""
    done = subprocess.run(
        [sys.executable, "-c", _ASKS, json.dumps(options)],
        env={"PYTHONPATH": str(_SDK), "LANG": "C.UTF-8", **variables},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@dataclass
class Server:
    url: str = ""
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    status: int = 200
    answer: object = None

    @property
    def run(self) -> dict[str, str]:
        """The variables of a run that may ask this server."""
        return {"AGENT_MODEL_URL": self.url, "AGENT_JOB": "/job.json"}

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


def test_a_text_is_asked_and_a_text_comes_back(server: Server) -> None:
    server.says(
        {"type": "thinking", "thinking": "음"}, {"type": "text", "text": "네"}, {"type": "text", "text": "요"}
    )

    assert ask(server.run, system="짧게", max_tokens=50) == {"said": "네요"}
    ((place, body),) = server.asked
    assert place == "/v1/messages none"
    assert body == {
        "model": "default",
        "max_tokens": 50,
        "system": "짧게",
        "messages": [{"role": "user", "content": "안녕"}],
    }


def test_with_a_schema_a_dictionary_comes_back(server: Server) -> None:
    schema = {"type": "object", "properties": {"mood": {"type": "string"}}}
    server.says({"type": "tool_use", "name": "answer", "input": {"mood": "좋음"}}, stopped="tool_use")

    assert ask(server.run, schema=schema, model="claude-haiku-4-5") == {"said": {"mood": "좋음"}}
    body = server.asked[0][1]
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
    server: Server, status: int, answer: object, code: str, said: str
) -> None:
    server.status, server.answer = status, answer

    told = ask(server.run)

    assert told["code"] == code
    assert said in told["text"]
    assert len(server.asked) == 1


def test_an_answer_without_what_the_schema_wanted_is_said_to_be_none(server: Server) -> None:
    server.says({"type": "text", "text": "글쎄요"})

    assert ask(server.run, schema={"type": "object"})["code"] == "unreadable"


def test_where_nobody_listens_it_says_so() -> None:
    assert ask({"AGENT_MODEL_URL": "http://127.0.0.1:9"})["code"] == "unreachable"


def test_a_run_without_tokens_is_told_what_to_write() -> None:
    assert ask({"AGENT_JOB": "/job.json", "ANTHROPIC_API_KEY": "its own"})["code"] == "no_tokens"


def test_offline_a_persons_own_key_and_model_are_used(server: Server) -> None:
    server.says({"type": "text", "text": "네"})
    assert ask({})["code"] == "offline"

    own = {"ANTHROPIC_API_KEY": "sk-mine", "ANTHROPIC_BASE_URL": server.url + "/", "AGENT_MODEL": "claude-x"}
    assert ask(own) == {"said": "네"}
    assert server.asked[0][0] == "/v1/messages sk-mine"
    assert server.asked[0][1]["model"] == "claude-x"
