"""Agents that ask a model while they run: paid from what was allowed, shown per run, repeated from the tape for
nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from services.planner.ports import Usage
from shared.net.model_endpoint import MODEL_HOST
from tests.fakes.llm_script import Answer, Asked, Do, Reply, Say
from tests.fakes.messages_server import KEY, MessagesServer
from tests.flows.cutting import Line
from tests.flows.google_split_house import GoogleSplitHouse
from tests.flows.house import PROFILE, SEED, CloudRunHouse, House, new_house
from tests.flows.imports import LIVE_ONLY, agent_zip, allowed, live_run, rehearsed
from tests.flows.person import Json, Person
from tests.flows.split_house import SplitHouse

WAIT_S = 120  # a job starts
COST = Usage(input=30, output=12)
TOKENS = "tokens = { per_run = 1000, per_day = 5000 }\n"
DAILY = TOKENS + '\n[schedule]\ncron = "0 9 * * *"\ntimezone = "Asia/Seoul"\n'

ASKS = """
import agent
said = agent.llm("후기를 한 문장으로 요약해 줘: 컵이 깨져서 왔어요", max_tokens=100)
agent.deliver("inbox", "요약: " + said)
"""
# The whole address, the key and the stream by hand: what any library does.
BY_HAND = """
import json, os, urllib.request
import agent
body = {"model": "default", "max_tokens": 100, "stream": True, "messages": [{"role": "user", "content": "안녕"}]}
headers = {"content-type": "application/json", "x-api-key": os.environ["ANTHROPIC_API_KEY"]}
address = os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages"
asked = urllib.request.Request(address, json.dumps(body).encode(), headers)
"""
STREAMS = (
    BY_HAND
    + """
said = ""
with urllib.request.urlopen(asked) as answer:
    for line in answer:
        if line.startswith(b"data:"):
            event = json.loads(line[5:])
            said += event.get("delta", {}).get("text", "")
agent.deliver("inbox", "요약: " + said)
"""
)
# `read`, which knows whether it has all: going through the lines, Python's own client takes a broken answer for a
# whole one (docs/decisions/0060-a-cut-answer-is-a-reset.md).
READS_ON = (
    BY_HAND
    + """
with urllib.request.urlopen(asked) as answer:
    while "깨진".encode() not in answer.readline():
        pass
    print("read the beginning", flush=True)
    answer.read()
agent.deliver("inbox", "read all of it")
"""
)


def says(text: str) -> Answer:
    """The same to whoever asks, for what it costs."""

    def make(asked: Asked) -> Reply:
        return Reply((Say(text),), usage=COST)

    return Answer(make, always=True)


@pytest.fixture
def claude() -> Iterator[MessagesServer]:
    with MessagesServer(says("깨진 컵이 왔어요.")) as server:
        yield server


def _in_order(folder: Path) -> House:
    return new_house(folder, jobs=True) if PROFILE else House(folder / "data", disorder=0)


def _disorderly(folder: Path) -> House:
    return House(folder / "data", disorder=7)


def _five_processes(folder: Path) -> House:
    return SplitHouse(folder)


@pytest.fixture(
    params=[
        pytest.param(_in_order, id="in-order"),
        pytest.param(_disorderly, id="doubled-and-shuffled"),
        pytest.param(_five_processes, id="five-processes"),
        pytest.param(CloudRunHouse, id="cloud-run-jobs"),
    ]
)
def any_house(request: pytest.FixtureRequest, tmp_path: Path, claude: MessagesServer) -> Iterator[House]:
    make: Callable[[Path], House] = request.param
    yield from _opened(make(tmp_path), claude)


@pytest.fixture
def house(tmp_path: Path, claude: MessagesServer) -> Iterator[House]:
    yield from _opened(new_house(tmp_path / "data", jobs=True), claude)


def _opened(made: House, claude: MessagesServer) -> Iterator[House]:
    made.environment |= {"ANTHROPIC_BASE_URL": claude.url, "AB_PLANNER": "recipes"}
    try:
        yield made.open()
    finally:
        made.close()


def connected(house: House | Severable) -> Person:
    """Somebody whose workspace has a key that was seen to work."""
    person = house.person()
    person.call("PUT", "/api/v1/connections/claude", {"key": KEY})
    person.wait("/api/v1/connections", lambda found: found["items"][0]["state"] == "working")
    return person


def asked_by_runs(claude: MessagesServer) -> list[Json]:
    """What reached the provider, but for the trial of the key."""
    sent = [dict(r.body) for r in claude.requests if r.path == "/v1/messages"]
    return [body for body in sent if "hello" not in json.dumps(body)]


def used(run: Json) -> tuple[int, int]:
    return run["usage"]["input_tokens"], run["usage"]["output_tokens"]


@pytest.mark.deployed
@pytest.mark.slow(seconds=40)
@pytest.mark.parametrize("main", [ASKS, STREAMS], ids=["the agent's library", "any library, streaming"])
def test_a_scheduled_run_asks_and_its_tokens_are_its_own(
    main: str, any_house: House, claude: MessagesServer
) -> None:
    person = connected(any_house)
    conversation = allowed(person, agent_zip(main, more=DAILY))
    assert "깨진 컵" in conversation["test_run"]["deliveries"][0]["text"], "a rehearsal asks for real"
    agent_id = conversation["agent_id"]
    person.switches(agent_id, True)

    run = any_house.slot_run(person, agent_id)

    assert (run["status"], run["outcome"]) == ("succeeded", "delivered"), run["reason"]
    assert run["deliveries"][0]["text"] == "요약: 깨진 컵이 왔어요."
    assert used(run) == (COST.input, COST.output)
    assert run["usage"]["cost_usd_micros"] > 0
    assert [host["host"] for host in run["hosts"]] == [MODEL_HOST]
    assert len(asked_by_runs(claude)) == 2, "one for the rehearsal, one for the run"
    budget = person.wait("/api/v1/budget", lambda found: found["leased_tokens"] == 0)
    assert budget["spent_tokens"] == 2 * COST.total
    by_run = {row["key"]: row for row in person.call("GET", "/api/v1/usage?by=run")["items"]}
    assert by_run[run["id"]]["input_tokens"] == COST.input
    assert person.call("GET", f"/api/v1/agents/{agent_id}")["tokens_month"] == 2 * COST.total

    before = len(claude.requests)
    again = person.run(person.call("POST", f"/api/v1/runs/{run['id']}/replay", {})["id"])
    assert (again["status"], again["same"], again["differences"]) == ("succeeded", True, []), again["reason"]
    assert used(again) == (0, 0)
    assert len(claude.requests) == before, "the tape has the answer"


@pytest.mark.slow(seconds=120)
@pytest.mark.usefixtures("firestore_emulator", "pubsub_emulator", "storage_emulator")
def test_it_asks_from_the_executors_own_instance_on_google_too(
    tmp_path: Path, claude: MessagesServer
) -> None:
    for house in _opened(GoogleSplitHouse(tmp_path / "data", jobs=False), claude):
        conversation = allowed(connected(house), agent_zip(ASKS, more=DAILY))

        assert "깨진 컵" in conversation["test_run"]["deliveries"][0]["text"]
        assert len(asked_by_runs(claude)) == 1


CAPPED = """
import agent
for number in range(100):
    said = agent.llm(f"{number}번째 후기를 요약해 줘", max_tokens=300)
    print(number, said)
"""


@pytest.mark.deployed
def test_a_run_that_comes_to_its_cap_says_so_and_never_passes_it(
    house: House, claude: MessagesServer
) -> None:
    person = connected(house)

    run = live_run(person, CAPPED, more=TOKENS)

    assert run["status"] == "failed"
    spent = sum(used(run))
    assert 1000 - (claude.tokens + 300) < spent <= 1000
    assert spent == len(asked_by_runs(claude)) * COST.total
    said = logged(person, run)
    assert "토큰이 모자라요" in said, said
    assert "AgentError" in said
    assert KEY not in said


class Severable(Protocol):
    """A house that has such a line."""

    line: Line

    def person(self) -> Person: ...


class CutHouse(CloudRunHouse):
    """Between its jobs and the way out is a line that can be cut."""

    def prepare(self) -> None:
        super().prepare()
        port = int(self.environment["AB_EGRESS_URL"].rpartition(":")[2])
        self.line = Line(port)
        self.environment["AB_EGRESS_URL"] = self.line.url

    def close(self) -> None:
        super().close()
        self.line.close()


def _cut(folder: Path) -> House:
    if PROFILE != "deployed":
        return CutHouse(folder)
    from tests.flows.cut_google_house import CutGoogleHouse  # Google's libraries take a second to load

    return CutGoogleHouse(folder, seed=SEED)


@pytest.fixture
def cut_house(tmp_path: Path, claude: MessagesServer) -> Iterator[House]:
    yield from _opened(_cut(tmp_path / "data"), claude)


@pytest.mark.deployed
@pytest.mark.slow(seconds=40)
def test_a_line_cut_in_the_middle_of_an_answer_is_an_error_and_costs_what_was_set_aside(
    cut_house: Severable, claude: MessagesServer
) -> None:
    person = connected(cut_house)
    agent_id = allowed(person, agent_zip(LIVE_ONLY + READS_ON, more=TOKENS))["agent_id"]
    go_on = threading.Event()
    held = Do(lambda: go_on.wait(WAIT_S))
    claude.plays("안녕", Reply((Say("깨진"), held, Say("컵이 왔어요. " * 5000))))

    run_id = person.call("POST", f"/api/v1/agents/{agent_id}/runs", {})["id"]
    person.wait(f"/api/v1/runs/{run_id}/logs", lambda logs: "read the beginning" in str(logs["items"]))
    assert cut_house.line.cut() >= 1
    run = person.run(run_id)
    go_on.set()

    said = logged(person, run)
    assert (run["status"], run["attempt"]) == ("failed", 1), said
    assert "answer.read()" in said, said
    assert len(asked_by_runs(claude)) == 1, "it was asked again"
    assert claude.left.wait(WAIT_S), "the planner goes on asking for nobody"
    budget = person.wait("/api/v1/budget", lambda found: found["leased_tokens"] == 0)
    assert budget["spent_tokens"] == claude.tokens + 100


@pytest.mark.deployed
def test_many_at_once_never_pass_the_cap_together(house: House, claude: MessagesServer) -> None:
    person = connected(house)
    main = """
from concurrent.futures import ThreadPoolExecutor
import agent

def ask(number):
    try:
        return agent.llm(f"{number}번째", max_tokens=200)
    except agent.AgentError as error:
        return error.code

with ThreadPoolExecutor(8) as pool:
    said = list(pool.map(ask, range(12)))
print(said)
agent.deliver("inbox", f"{said.count('lease_full')} of {len(said)}")
"""

    run = live_run(person, main, more=TOKENS)

    answered = len(asked_by_runs(claude))
    assert run["outcome"] == "delivered", logged(person, run)
    assert run["deliveries"][0]["text"] == f"{12 - answered} of 12", logged(person, run)
    assert sum(used(run)) == answered * COST.total <= 1000
    assert answered >= 4


@pytest.mark.deployed
def test_without_a_connection_the_run_says_what_is_missing(house: House, claude: MessagesServer) -> None:
    person = house.person()

    conversation = rehearsed(person, agent_zip(ASKS, more=TOKENS))

    assert conversation["state"] == "failed"
    said = logged(person, {"id": conversation["test_run"]["id"]})
    assert "연결된 Claude가 없어요" in said, said
    assert claude.requests == []


@pytest.mark.deployed
def test_an_agent_that_was_allowed_no_tokens_gets_none(house: House, claude: MessagesServer) -> None:
    person = connected(house)
    main = """
import os, urllib.error, urllib.request
import agent
assert "ANTHROPIC_BASE_URL" not in os.environ
try:
    agent.llm("안녕")
except agent.AgentError as error:
    print(error.code)
try:
    urllib.request.urlopen("https://@HOST@/v1/messages", b"{}")
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode())
""".replace("@HOST@", MODEL_HOST)

    run = live_run(person, main)

    said = logged(person, run)
    assert run["status"] == "succeeded", said
    assert said.count("no_tokens") >= 2, said
    assert asked_by_runs(claude) == []


@pytest.mark.deployed
def test_the_providers_own_library_works_unchanged(house: House, claude: MessagesServer) -> None:
    person = connected(house)
    main = """
import anthropic
import agent
client = anthropic.Anthropic()
question = {"model": "default", "max_tokens": 100, "messages": [{"role": "user", "content": "안녕"}]}
print(client.messages.count_tokens(model="default", messages=question["messages"]).input_tokens)
whole = client.messages.create(**question).content[0].text
with client.messages.stream(**question) as stream:
    parts = "".join(stream.text_stream)
try:
    client.messages.create(**question, extra_body={"container": "container_1"})
except anthropic.BadRequestError as error:
    print(error)
agent.deliver("inbox", whole + " " + parts)
"""

    run = live_run(person, main, packages=["anthropic"], more=TOKENS)

    said = logged(person, run)
    assert run["outcome"] == "delivered", said
    assert run["deliveries"][0]["text"] == "깨진 컵이 왔어요. 깨진 컵이 왔어요."
    assert str(claude.tokens) in said
    assert "container" in said
    assert used(run) == (2 * COST.input, 2 * COST.output)


def logged(person: Person, run: Json) -> str:
    return json.dumps(person.call("GET", f"/api/v1/runs/{run['id']}/logs")["items"], ensure_ascii=False)
