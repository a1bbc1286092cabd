"""What the planner adds to a model's own answer: on the way to the model, and on the way to the page."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from services.planner.adapters.anthropic_request import asked
from services.planner.builder import request
from services.planner.ports import Message, Text
from tests.bench.application import Served
from tests.bench.figures import Limit, Row, Samples
from tests.bench.limits import loopback
from tests.bench.runs import events
from tests.fakes.llm_script import Call, Do, Item, Refuse, Reply, Say
from tests.fakes.messages_server import KEY, MessagesServer, Recorded
from tests.fakes.prompt_cache import PromptCache

_WORDS = 12
_PAUSE_S = 0.15  # longer than what is written is gathered for
_TURNS = 6


class TimedServer(MessagesServer):
    """Notes when it was asked for an answer; monotonic seconds."""

    def __init__(self) -> None:
        super().__init__(cache=PromptCache())
        self.asked_at: list[float] = []

    def received(self, request: Recorded) -> tuple[int, Reply | Refuse]:
        if not request.path.endswith("count_tokens"):
            self.asked_at.append(time.monotonic())
        return super().received(request)


def measure(folder: Path, count: int) -> list[Row]:
    with TimedServer() as model:
        served = Served(folder, settings={"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": model.url})
        try:
            _talk(served, model, Reply((Say("네."),)))  # the first call loads the library
            words = [ms for _ in range(count) for ms in _words(served, model)]
            turns = [_turn(served, model) for _ in range(count)]
            share = _share(served, model)
        finally:
            served.stop()
    body = asked(request.ask("m", (Message("user", (Text("."),)),)))
    standing = PromptCache.counted(body)
    return [
        Row(
            "model's word sent → on the page's stream",
            Samples.of(words),
            Limit("a few bytes over loopback", Samples.of(loopback(20))),
            target=100,
        ),
        Row("message sent → model asked (ledger, claim, counting, reservation)", Samples.of(turns)),
        Row(
            "instructions and tools sent with every turn, in tokens of four characters",
            Samples.of([standing], "tokens"),
        ),
        Row(f"share of input read from the cache, {_TURNS} turns", Samples.of([share], "%"), better="higher"),
    ]


def _talk(served: Served, model: MessagesServer, *replies: Reply) -> tuple[str, float]:
    """The conversation's id once the answers are given, and when it was said."""
    model.enqueue(*replies)
    client, begun = served.client(), time.monotonic()
    id = client.call("POST", "/api/v1/conversations", {"text": "새 상품을 알려 줘", "language": "ko"})["id"]
    client.wait(f"/api/v1/conversations/{id}", "state", "asking", "failed", every_s=0.02)
    return id, begun


def _words(served: Served, model: MessagesServer) -> list[float]:
    """Milliseconds from the server's word to its arrival at a page that watches."""
    sent: dict[str, float] = {}
    go = threading.Event()
    items: list[Item] = [Do(lambda: go.wait(10))]
    for number in range(_WORDS):
        word = f"<{number}>"
        items += [Do(lambda word=word: sent.__setitem__(word, time.time())), Say(word)]  # type: ignore[misc]
        items.append(Do(lambda: time.sleep(_PAUSE_S)))
    model.enqueue(Reply(tuple(items)))
    client = served.client()
    id = client.call("POST", "/api/v1/conversations", {"text": "이야기해 줘", "language": "ko"})["id"]
    arrived: dict[str, float] = {}
    for kind, data, at in events(client, f"/api/v1/conversations/{id}/events"):
        go.set()
        if kind == "live":
            for word in sent:
                if word in data.get("text", ""):
                    arrived.setdefault(word, at)
        if kind == "conversation" and data["state"] in ("asking", "failed"):
            break
    return [(arrived[word] - sent[word]) * 1000 for word in arrived]


def _turn(served: Served, model: TimedServer) -> float:
    before = len(model.asked_at)
    _, begun = _talk(served, model, Reply((Say("네."),)))
    return (model.asked_at[before] - begun) * 1000


def _share(served: Served, model: MessagesServer) -> float:
    first = len(model.requests)
    steps = [Reply((Call("read_file", {"path": f"f{number}.py"}),)) for number in range(_TURNS - 1)]
    _talk(served, model, *steps, Reply((Say("다 읽었어요."),)))
    cache, read, whole = PromptCache(), 0, 0
    for recorded in model.requests[first:]:
        if not recorded.path.endswith("count_tokens"):
            usage = cache.usage(recorded.body, 0)
            read, whole = read + usage.cache_read, whole + usage.total
    return read / whole * 100
