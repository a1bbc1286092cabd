"""The model endpoint at its real socket and as a part of a service, in front of a Messages API server: what passes,
what it costs, what never leaves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from flask import Flask

from services.planner import meter as meters
from services.planner.adapters.messages_relay import MessagesRelay
from services.planner.adapters.model_server import ModelServer
from services.planner.endpoint.metered import MeteredCalls
from services.planner.endpoint.web import create_web
from services.planner.meter import Meter
from services.planner.ports import ModelKey, Usage
from shared.clock import SystemClock, stamp
from shared.events.run import RunFunded
from shared.events.usage import TokensUsed
from shared.net.model_endpoint import PREFIX, RUN_HEADER, addressed, socket_path
from shared.records.executor import Run
from shared.runtime.pushes import EVENTS, beside
from shared.runtime.server import WebServer, listen
from shared.vault.keyfile import load_keyring
from shared.vault.run_tokens import Asking, RunTokens
from tests.fakes.keys import FakeKeys
from tests.fakes.llm_script import Call, Cut, Fail, Ping, Refuse, Reply, Say, Silence, Think, Truncate
from tests.fakes.messages_server import KEY, MessagesServer
from tests.unit.desk import WORKSPACE, Desk
from tests.unit.planner.spending import PLANNER

MODEL = "claude-sonnet-4-6"
ASKING = Asking(workspace_id=WORKSPACE, run_id="run_1", attempt_id="run_1-1", lease_id="lease_1")
BODY: dict[str, Any] = {
    "model": "default",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "안녕"}],
}
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}


def both(text: str) -> bool:
    """A Korean sentence, then the English one in parentheses."""
    return re.fullmatch(r"[^()]*[가-힣][^()]*\([^가-힣]*[A-Za-z][^가-힣]*\)", text, re.DOTALL) is not None


@dataclass
class World:
    desk: Desk
    keys: FakeKeys
    provider: MessagesServer
    tokens: RunTokens
    http: httpx2.Client
    headers: dict[str, str] = field(default_factory=dict)

    def run(self, **changes: object) -> None:
        run = Run(
            id="run_1",
            workspace_id=WORKSPACE,
            agent_id="agent_1",
            version_id="ver_1",
            kind="manual",
            status="running",
            attempt=1,
            attempt_id="run_1-1",
            lease_id="lease_1",
            requested_at="",
            deadline_at="",
        )
        self.desk.put("executor", "runs", "run_1", run.but(**changes).to_doc())

    def post(self, body: object, path: str = "/v1/messages", **headers: str) -> httpx2.Response:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        token = {RUN_HEADER: self.tokens.mint(ASKING)} | self.headers
        return self.http.post(f"{PREFIX}{path}", content=data, headers=token | headers)

    @property
    def meter(self) -> Meter:
        found = meters.find_meter(self.desk.store, "lease_1")
        assert found is not None
        return found

    @property
    def asked(self) -> list[dict[str, Any]]:
        return [dict(r.body) for r in self.provider.requests if r.path == "/v1/messages"]


@contextmanager
def nearby(web: Flask, folder: Path) -> Iterator[httpx2.Client]:
    server = ModelServer(web, folder)
    server.start()
    with addressed(socket_path(folder)) as address:
        transport = httpx2.HTTPTransport(uds=address)
        here = httpx2.Client(transport=transport, base_url="http://model", timeout=20)
    with here:
        yield here
    server.stop()


@contextmanager
def service(web: Flask, folder: Path) -> Iterator[httpx2.Client]:
    """Beside what else a service answers."""
    listening = listen(0)
    rooms = beside(None, {PREFIX: web, EVENTS: Flask("events")})
    assert rooms is not None
    server = WebServer(rooms, listening)
    server.start()
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    with httpx2.Client(base_url=address, timeout=20, trust_env=False) as http:
        yield http
    server.stop()


@pytest.fixture(params=[nearby, service], ids=lambda carrier: carrier.__name__)
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    desk = Desk(folder, "planner", PLANNER, lambda desk: None)
    clock = SystemClock()  # the server and its connections live in real time
    expires = stamp(clock.now().replace(year=clock.now().year + 1, day=1))
    desk.hears(RunFunded(run_id="run_1", lease_id="lease_1", tokens=1000, expires_at=expires))
    desk.databases.own("executor")
    with MessagesServer() as provider:
        keys = FakeKeys(own=ModelKey(KEY, provider.url, MODEL, own=True))
        relay = MessagesRelay(clock, silence_s=2)
        reader = desk.databases.read("executor")
        calls = MeteredCalls(desk.store, reader, keys, relay, clock, desk.ids, late_s=2.0)
        tokens = RunTokens(load_keyring(folder / "vault.key"), clock)
        with request.param(create_web(calls, tokens), folder) as http:
            made = World(desk, keys, provider, tokens, http)
            made.run()
            yield made
        relay.close()
    desk.close()


def test_an_answer_passes_as_it_is_written_and_costs_what_the_server_says(world: World) -> None:
    world.provider.enqueue(
        Reply((Think("음"), Say("네, 안녕하세요"), Ping()), usage=Usage(30, 12, cache_read=4))
    )
    answer = world.post({**BODY, "stream": True}, **{"x-api-key": "the-code's-own", "cookie": "a=b"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["request-id"].startswith("req_")
    text = "".join(
        json.loads(line[5:])["delta"].get("text", "")
        for line in answer.text.splitlines()
        if line.startswith("data:") and '"text_delta"' in line
    )
    assert text == "네, 안녕하세요"
    assert answer.text.count("event: ping") == 1
    assert (world.meter.spent, world.meter.open) == (46, ())
    (used,) = world.desk.said(TokensUsed)
    assert (used.run_id, used.model, used.input_tokens, used.output_tokens) == ("run_1", MODEL, 34, 12)
    sent = world.provider.requests[-1]
    assert sent.headers["x-api-key"] == KEY
    assert "cookie" not in sent.headers
    assert RUN_HEADER not in sent.headers
    assert sent.body == {**BODY, "model": MODEL, "stream": True}


def test_an_answer_in_one_piece(world: World) -> None:
    world.provider.enqueue(Reply((Say("네"), Call("look", {"at": 1}))))
    answer = world.post(BODY)
    assert answer.status_code == 200, answer.text
    assert [block["type"] for block in answer.json()["content"]] == ["text", "tool_use"]
    assert answer.json()["usage"]["output_tokens"] == 15
    assert world.meter.spent == 40


def test_counting_costs_nothing(world: World) -> None:
    answer = world.post({k: v for k, v in BODY.items() if k != "max_tokens"}, "/v1/messages/count_tokens")
    assert answer.json() == {"input_tokens": 25}
    assert (world.meter.spent, world.asked) == (0, [])


def test_everything_listed_arrives_as_it_was_and_metadata_does_not(world: World) -> None:
    world.provider.enqueue(Reply((Say("네"),)))
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "aGk="}
    listed = {
        **BODY,
        "system": [{"type": "text", "text": "짧게"}],
        "stop_sequences": ["끝"],
        "stream": False,
        "temperature": 0,
        "top_k": 5,
        "top_p": 0.5,
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "tools": [{"name": "look", "description": "보기", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "tool", "name": "look"},
        "messages": [
            {
                "role": "user",
                "content": [{"type": "text", "text": "이거"}, IMAGE, {"type": "document", "source": pdf}],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "음", "signature": "s"},
                    {"type": "redacted_thinking", "data": "x"},
                    {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"a": [1, None]}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_1", "content": [IMAGE], "is_error": False}
                ],
            },
        ],
    }
    assert world.post({**listed, "metadata": {"user_id": "a person"}}).status_code == 200
    assert world.asked == [{**listed, "model": MODEL}]


def content(*blocks: object) -> dict[str, Any]:
    return {**BODY, "messages": [{"role": "user", "content": list(blocks)}]}


def source(kind: str, **fields: object) -> dict[str, Any]:
    return content({"type": kind, "source": fields})


def tool(type: str, **fields: object) -> dict[str, Any]:
    return {**BODY, "tools": [{"type": type, "name": type.rpartition("_")[0], **fields}]}


REFUSED: dict[str, tuple[object, str]] = {
    "a picture at an address": (source("image", type="url", url="https://a.example/x.png"), "url"),
    "a document at an address": (source("document", type="url", url="https://a.example/x.pdf"), "source"),
    "a picture that is a stored file": (source("image", type="file", file_id="file_1"), "file_id"),
    "a document that is a stored file": (source("document", type="file", file_id="file_1"), "source"),
    "web search": (tool("web_search_20250305", max_uses=5), "max_uses"),
    "web fetch": (tool("web_fetch_20250910"), "tools.0.type"),
    "code execution": (tool("code_execution_20250825"), "tools.0.type"),
    "the provider's shell": (tool("bash_20250124"), "tools.0.type"),
    "the provider's editor": (tool("text_editor_20250728"), "tools.0.type"),
    "the provider's computer": (tool("computer_20250124", display_width_px=1), "display_width_px"),
    "the provider's memory": (tool("memory_20250818"), "tools.0.type"),
    "other servers": ({**BODY, "mcp_servers": [{"type": "url", "url": "https://a.example"}]}, "mcp_servers"),
    "a toolset of another server": (
        {**BODY, "tools": [{"type": "mcp_toolset", "mcp_server_name": "a"}]},
        "mcp_server_name",
    ),
    "a container": ({**BODY, "container": "container_1"}, "container"),
    "skills": ({**BODY, "container": {"skills": []}}, "container"),
    "an upload into a container": (
        content({"type": "container_upload", "file_id": "file_1"}),
        "messages.0.content.0",
    ),
    "a tool use of the server": (
        content({"type": "server_tool_use", "id": "a", "name": "web_search", "input": {}}),
        "messages.0.content.0",
    ),
    "search results": (
        content({"type": "search_result", "source": "a", "title": "b", "content": []}),
        "messages.0.content.0",
    ),
    "a service tier": ({**BODY, "service_tier": "auto"}, "service_tier"),
    "managing the context": ({**BODY, "context_management": {"edits": []}}, "context_management"),
    "what is kept for later": (
        content({"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}),
        "cache_control",
    ),
    "a place in the world": ({**BODY, "inference_geo": "us"}, "inference_geo"),
    "betas in the body": ({**BODY, "betas": ["files-api-2025-04-14"]}, "betas"),
    "a field nobody knows": ({**BODY, "surprise": 1}, "surprise"),
    "an address inside a result": (
        content(
            {
                "type": "tool_result",
                "tool_use_id": "a",
                "content": [{"type": "image", "source": {"type": "url", "url": "https://a"}}],
            }
        ),
        "url",
    ),
    "a schema that lies elsewhere": (
        {**BODY, "tools": [{"name": "a", "input_schema": {"items": [{"$ref": "https://a.example/s.json"}]}}]},
        "input_schema",
    ),
    "a tool that the provider finds": (tool("tool_search_tool_regex_20251119"), "tools.0.type"),
    "batches in the body": ({**BODY, "requests": []}, "requests"),
    "more warmth than there is": ({**BODY, "temperature": 1.5}, "temperature"),
    "a number written as text": ({**BODY, "max_tokens": "100"}, "max_tokens"),
    "no bound at all": ({k: v for k, v in BODY.items() if k != "max_tokens"}, "max_tokens"),
    "no JSON": (b"{", "body"),
    "a number JSON does not know": (b'{"max_tokens": NaN}', "body"),
    "a number too large to write down": (b'{"max_tokens": 1e999}', "body"),
    "JSON without end": (b'{"a":' * 100_000, "body"),
    "JSON nested beyond use": (b'{"tools":' + b"[" * 300 + b"]" * 300 + b"}", "body"),
}


@pytest.mark.parametrize(("body", "named"), REFUSED.values(), ids=list(REFUSED))
def test_what_is_not_listed_is_refused_by_name_before_a_byte_leaves(
    world: World, body: object, named: str
) -> None:
    asked: dict[str, object] = {"/v1/messages": body}
    if named != "max_tokens":  # counting takes no bound
        unbound = {k: v for k, v in body.items() if k != "max_tokens"} if isinstance(body, dict) else body
        asked["/v1/messages/count_tokens"] = unbound
    for path, sent in asked.items():
        answer = world.post(sent, path)
        assert answer.status_code == 400, answer.text
        error = answer.json()["error"]
        assert (error["type"], error["code"]) == ("invalid_request_error", "not_listed")
        assert any(named in place for place in error["fields"]), error
        assert any(place in error["message"] for place in error["fields"])
    assert world.provider.requests == []
    assert world.meter.spent == 0


def test_a_run_that_asks_before_its_money_was_heard_of_waits_for_it(world: World) -> None:
    world.run(lease_id="lease_9")
    token = world.tokens.mint(ASKING.model_copy(update={"lease_id": "lease_9"}))
    world.provider.enqueue(Reply((Say("네"),)))
    expires = world.meter.expires_at
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(world.post, BODY, **{RUN_HEADER: token})
        with pytest.raises(FutureTimeout):
            answer.result(timeout=0.3)
        world.desk.hears(RunFunded(run_id="run_1", lease_id="lease_9", tokens=1000, expires_at=expires))
        assert answer.result(timeout=10).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/v1/messages/batches",
        "/v1/files",
        "/v1/models",
        "/v1/complete",
        "/v1/skills",
        "/v1/messages/",
        "/v1/messages/count_tokens/x",
        "/",
    ],
)
def test_no_other_address_is_there(world: World, path: str) -> None:
    answer = world.post(BODY, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_listed")
    assert world.provider.requests == []


def test_nothing_beside_the_body_changes_what_is_asked(world: World) -> None:
    for answer in (
        world.post(BODY, "/v1/messages?beta=true"),
        world.post(BODY, **{"anthropic-beta": "code-execution-2025-08-25"}),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "not_listed")
    assert world.provider.requests == []


def test_only_runs_are_answered(world: World) -> None:
    other = ASKING.model_copy(update={"attempt_id": "run_1-0"})
    for token in ("", "x", "e30.e30", world.tokens.mint(other), world.tokens.mint(ASKING)[:-2]):
        assert world.post(BODY, **{RUN_HEADER: token}).status_code == 401, token
    world.run(status="succeeded")
    assert world.post(BODY).status_code == 401
    world.run(lease_id="lease_2")
    assert world.post(BODY).status_code == 401
    assert world.provider.requests == []


def test_the_workspaces_key_or_none(world: World) -> None:
    world.keys.operator, world.keys.own = world.keys.own, None
    answer = world.post(BODY)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "no_key")
    assert "설정" in answer.json()["error"]["message"]
    assert world.provider.requests == []


def test_a_call_that_the_lease_cannot_pay_is_not_made(world: World) -> None:
    answer = world.post({**BODY, "max_tokens": 976})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (402, "lease_full")
    assert "1,001" in error["message"]
    assert "1,000" in error["message"]
    assert world.asked == []
    world.provider.enqueue(Reply((Say("네"),)))
    assert world.post({**BODY, "max_tokens": 975}).status_code == 200


def test_without_a_lease_nothing_is_called(world: World) -> None:
    world.run(lease_id="lease_9")
    token = world.tokens.mint(ASKING.model_copy(update={"lease_id": "lease_9"}))
    answer = world.post(BODY, **{RUN_HEADER: token})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "no_tokens")
    assert world.asked == []


@pytest.mark.parametrize(
    ("model", "status"),
    [
        ("default", 200),
        (MODEL, 200),
        ("claude-haiku-4-5", 200),
        ("claude-opus-4-8", 400),
        ("gpt-9", 400),
    ],
)
def test_no_model_that_costs_more_than_the_connected_one(world: World, model: str, status: int) -> None:
    world.provider.enqueue(Reply((Say("네"),)))
    answer = world.post({**BODY, "model": model})
    assert answer.status_code == status, answer.text
    if status == 400:
        assert "model" in answer.json()["error"]["fields"]
        assert world.provider.requests == []
    else:
        assert world.asked[0]["model"] == (MODEL if model == "default" else model)


@pytest.mark.parametrize(
    ("refusal", "status", "code"),
    [
        (Refuse(429, "rate_limit_error", "slow", retry_after="7"), 429, "rate_limited"),
        (Refuse(529, "overloaded_error", "busy"), 529, "overloaded"),
        (Refuse(400, "invalid_request_error", "no"), 400, "request_refused"),
        (Refuse(404, "not_found_error", "model"), 403, "model_unknown"),
        (Refuse(401, "authentication_error", f"bad {KEY}"), 403, "key_refused"),
        (Refuse(402, "billing_error", "pay"), 403, "no_credit"),
        (Refuse(413, "request_too_large", "long"), 413, "context_window"),
    ],
)
def test_a_call_refused_before_it_began_costs_nothing(
    world: World, refusal: Refuse, status: int, code: str
) -> None:
    world.provider.enqueue(refusal, refusal)
    answer = world.post(BODY)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert KEY not in answer.text
    assert both(answer.json()["error"]["message"])
    assert world.meter.left == 1000
    if refusal.retry_after:
        assert answer.headers["retry-after"] == "7"


def test_a_server_that_cannot_count_is_asked_with_an_upper_bound_set_aside(world: World) -> None:
    cannot = Refuse(404, "not_found_error", "no such address")
    world.provider.enqueue(cannot, Reply((Say("네"),)))
    assert world.post({**BODY, "max_tokens": 10}).status_code == 200
    world.provider.enqueue(cannot)
    assert world.post({**BODY, "max_tokens": 800}).json()["error"]["code"] == "lease_full"
    world.provider.enqueue(cannot)
    pdf = source("document", type="base64", media_type="application/pdf", data="aGk=")
    assert world.post(pdf).json()["error"]["code"] == "cannot_count"


@pytest.mark.parametrize("fault", [Cut(), Cut(reset=True), Truncate(), Fail(), Silence()], ids=str)
def test_an_answer_that_breaks_off_costs_all_that_was_set_aside(world: World, fault: Any) -> None:
    world.provider.enqueue(Reply((Say("네, 그러면"), fault)))
    answer = world.post({**BODY, "stream": True})
    assert answer.status_code == 200
    assert "message_stop" not in answer.text
    said = [json.loads(line[5:]) for line in answer.text.splitlines() if line.startswith("data:")]
    assert "code" not in said[-1].get("error", {}) or both(said[-1]["error"]["message"])
    assert (world.meter.spent, world.meter.open) == (125, ())


def test_code_that_goes_away_in_the_middle_pays_for_what_was_set_aside(world: World) -> None:
    world.provider.enqueue(Reply((Say("네" * 100), Silence())))
    body, token = json.dumps({**BODY, "stream": True}).encode(), world.tokens.mint(ASKING)
    with world.http.stream(
        "POST", f"{PREFIX}/v1/messages", content=body, headers={RUN_HEADER: token}
    ) as answer:
        next(answer.iter_raw())
    assert world.provider.left.wait(20)
    for _ in range(200):
        if not world.meter.open:
            break
        world.desk.databases.own("planner").watch([meters.METERS]).wait(0.1)
    assert world.meter.spent == 125
