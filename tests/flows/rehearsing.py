"""Writing agents made from a seed, and what a rehearsal and then a live run of one must show."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from services.executor.egress.writes import write_id
from tests.fakes.upstream import Received, Upstream
from tests.flows.imports import agent_zip, allowed, local
from tests.flows.person import Json, Person

LIBRARIES = ("urllib", "requests", "httpx")
_SENDING = {
    "urllib": """
import urllib.request
def send(method, url, body, kind):
    request = urllib.request.Request(url, data=body, method=method, headers={"Content-Type": kind})
    return urllib.request.urlopen(request).status
def stream(method, url, pieces, kind):
    headers = {"Content-Type": kind, "Transfer-Encoding": "chunked"}
    request = urllib.request.Request(url, data=iter(pieces), method=method, headers=headers)
    return urllib.request.urlopen(request).status
""",
    "requests": """
import requests
session = requests.Session()
def send(method, url, body, kind):
    return session.request(method, url, data=body, headers={"Content-Type": kind}).status_code
def stream(method, url, pieces, kind):
    return session.request(method, url, data=iter(pieces), headers={"Content-Type": kind}).status_code
""",
    "httpx": """
import httpx
client = httpx.Client()
def send(method, url, body, kind):
    return client.request(method, url, content=body, headers={"Content-Type": kind}).status_code
def stream(method, url, pieces, kind):
    return client.request(method, url, content=iter(pieces), headers={"Content-Type": kind}).status_code
""",
}


@dataclass(frozen=True)
class Write:
    method: str
    path: str
    body: bytes
    kind: str
    streamed: bool


@dataclass(frozen=True)
class WritingAgent:
    library: str
    writes: tuple[Write, ...]

    def code(self, port: int) -> str:
        lines = [f"import agent{_SENDING[self.library]}"]
        for write in self.writes:
            url = f"http://127.0.0.1:{port}{write.path}"
            if write.streamed:
                pieces = [write.body[at : at + 700] for at in range(0, len(write.body), 700)]
                lines.append(f"stream({write.method!r}, {url!r}, {pieces!r}, {write.kind!r})")
            else:
                lines.append(f"send({write.method!r}, {url!r}, {write.body!r}, {write.kind!r})")
        return "\n".join([*lines, 'agent.deliver("inbox", "written")'])

    @property
    def packages(self) -> tuple[str, ...]:
        return () if self.library == "urllib" else (self.library,)


def writing_agent(seed: int, library: str = "") -> WritingAgent:
    chance = random.Random(seed)
    writes = tuple(_write(chance, number) for number in range(chance.randint(1, 5)))
    return WritingAgent(library or LIBRARIES[seed % len(LIBRARIES)], writes)


def _write(chance: random.Random, number: int) -> Write:
    folder, query = (
        chance.choice(("orders", "items/7", "a/b/c")),
        chance.choice(("", "?dry=0&x=1", "?q=%EC%84%A0")),
    )
    path = f"/{folder}/{number}{query}"
    bodies = [
        (b'{"item": "\xeb\xa8\xb8\xea\xb7\xb8", "count": 2}', "application/json"),
        (b"name=mug&price=39000", "application/x-www-form-urlencoded"),
        (chance.randbytes(chance.randint(1, 5000)), "application/octet-stream"),
        ("머그컵 ".encode() * chance.randint(1, 9000), "text/plain; charset=utf-8"),
        (b"", "text/plain"),
    ]
    body, kind = chance.choice(bodies)
    streamed = bool(body) and chance.random() < 0.3
    method = chance.choice(("POST", "PUT", "PATCH", "DELETE"))
    return Write(method, path, body, kind, streamed)


def id_of(received: Received, port: int) -> str:
    return write_id(received.method, f"http://127.0.0.1:{port}{received.target}", received.body)


def shown_then_made(person: Person, sink: Upstream, agent: WritingAgent) -> dict[str, Any]:
    """Rehearse it, switch it on, run it once. Ids in order: what was shown, what the sink then saw; and how
    many requests it had seen before the person switched the agent on."""
    start = len(sink.seen.requests)
    made = agent_zip(agent.code(sink.port), hosts=[local(sink.port, effect="write")], packages=agent.packages)
    conversation = allowed(person, made)
    rehearsal: Json = person.call("GET", f"/api/v1/runs/{conversation['test_run_id']}")
    early = len(sink.seen.requests) - start
    person.switches(conversation["agent_id"], on=True)
    run = person.runs(conversation["agent_id"])
    assert run["status"] == "succeeded", run["reason"]
    return {
        "early": early,
        "shown": [write["id"] for write in rehearsal["would_send"]],
        "seen": [id_of(received, sink.port) for received in sink.seen.requests[start:]],
        "listed": [(write["method"], write["url"]) for write in run["writes"]],
        "wanted": [(write.method, write.path, write.body) for write in agent.writes],
        "received": [(got.method, got.target, got.body) for got in sink.seen.requests[start:]],
    }
