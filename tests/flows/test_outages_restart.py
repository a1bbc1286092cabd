"""The executor dies or is replaced while jobs run: each goes on and is delivered once, as if nothing had been.

On the services as deployed, whatever FLOWS_HOUSE says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from services.all_in_one import SERVICES
from shared.store.port import Query, Where
from tests.flows.gate import Gate
from tests.flows.google_split_house import GoogleSplitHouse
from tests.flows.house import TOKEN
from tests.flows.imports import LIVE_ONLY, agent_zip, allowed, local
from tests.flows.outages import PatientPerson
from tests.flows.person import Json

pytestmark = [pytest.mark.slow(seconds=120), pytest.mark.timeout(300)]

PATIENCE_S = 150
MAIN = """
import os, urllib.request
what = (agent.input or {{}}).get("do")
def gate():
    return urllib.request.urlopen("http://127.0.0.1:{port}/").read()
agent.step("before")
print("said before", flush=True)
gate()
print("said after", flush=True)
agent.step("after")
os.makedirs("outputs", exist_ok=True)
with open("outputs/left.bin", "wb") as file:
    file.write(os.urandom((24 << 20) if what == "much" else 1000))
agent.deliver("inbox", "came to its end")
"""


@pytest.fixture(scope="module")
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.close()


@pytest.fixture(scope="module")
def house(
    tmp_path_factory: pytest.TempPathFactory,
    gate: Gate,
    firestore_emulator: str,
    pubsub_emulator: str,
    storage_emulator: str,
) -> Iterator[GoogleSplitHouse]:
    made = GoogleSplitHouse(tmp_path_factory.mktemp("restarts"), open_ports=(gate.port,), seed=11)
    yield made.open()
    made.close()


@pytest.fixture(scope="module")
def person(house: GoogleSplitHouse) -> PatientPerson:
    return PatientPerson(house.port, TOKEN, patience_s=PATIENCE_S)


@pytest.fixture(scope="module")
def agent_id(person: PatientPerson, gate: Gate) -> str:
    code = LIVE_ONLY + MAIN.format(port=gate.port)
    return str(allowed(person, agent_zip(code, hosts=[local(gate.port)]))["agent_id"])


@pytest.fixture
def held(person: PatientPerson, agent_id: str, gate: Gate) -> Iterator[Callable[[str], str]]:
    """Begins a run that waits at the gate; what it has said before is on the page."""
    begun: list[str] = []

    def begin(what: str = "") -> str:
        gate.shut()
        run_id = str(person.call("POST", f"/api/v1/agents/{agent_id}/runs", {"input": {"do": what}})["id"])
        begun.append(run_id)
        gate.wait_for_somebody()
        person.wait(f"/api/v1/runs/{run_id}/logs", lambda logs: "said before" in str(logs["items"]))
        return run_id

    yield begin
    gate.open()


def _wait_for(holds: Callable[[], object], says: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, says
        time.sleep(0.002)


def _documents(house: GoogleSplitHouse, service: str, collection: str, **fields: str) -> list[Json]:
    where = tuple(Where(name, "==", value) for name, value in fields.items())
    found = house.databases.read(service).query(Query(collection, where, limit=1000))
    return [document.data for document in found]


def _attempts(house: GoogleSplitHouse, run_id: str) -> list[Json]:
    return _documents(house, "executor", "attempts", run_id=run_id)


def _was_delivered_once(house: GoogleSplitHouse, person: PatientPerson, run_id: str) -> None:
    run = person.run(run_id)
    assert (run["status"], run["outcome"]) == ("succeeded", "delivered"), run["reason"]
    assert run["attempt"] == 1, "it ran again"
    (receipt,) = person.call("GET", f"/api/v1/runs/{run_id}/receipts")["items"]
    assert receipt["status"] == "sent"
    entries = sorted(_documents(house, "executor", "run_entries", run_id=run_id), key=lambda e: e["seq"])
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    said: dict[str, list[Any]] = {}
    for entry in entries:
        said.setdefault(entry["kind"], []).append(entry["data"])
    assert [step["name"] for step in said["step"]] == ["before", "after"]
    assert "".join(line["text"] for line in said["log"]) == "said before\nsaid after\n"
    assert [file["name"] for file in said["file"]] == ["left.bin"]
    assert len(said["host"]) == 1
    assert [status["status"] for status in said["status"]].count("running") == 1
    assert len(_attempts(house, run_id)) == 1
    _settled(house, run_id)


def _settled(house: GoogleSplitHouse, run_id: str) -> None:
    """Its money is booked once, and nothing of it is left."""
    _wait_for(lambda: len(_documents(house, "ledger", "usage", run_id=run_id)) == 1, "its use is not booked")
    for collection in ("attempts_under_way", "executions", "doors", "door_notes"):
        _none_left(house, "executor", collection)
    for service in SERVICES:
        _none_left(house, service, "_claims")


def _none_left(house: GoogleSplitHouse, service: str, collection: str) -> None:
    _wait_for(lambda: not _documents(house, service, collection), f"{collection} of {service} are left")


def _on_disk(house: GoogleSplitHouse, pattern: str) -> list[Path]:
    """Of the executor, over all disks it has had."""
    return list((house.folder / "executor.data").glob(f"*/runs-elsewhere/{pattern}"))


def test_a_run_goes_on_when_the_executor_is_killed_in_the_middle_of_a_step(
    house: GoogleSplitHouse, person: PatientPerson, gate: Gate, held: Callable[..., str]
) -> None:
    run_id = held()

    house.kill("executor")
    house.start("executor")
    gate.open()

    _was_delivered_once(house, person, run_id)


def test_a_run_that_ends_after_the_executor_was_told_to_leave_is_delivered_by_the_next(
    house: GoogleSplitHouse, person: PatientPerson, gate: Gate, held: Callable[..., str]
) -> None:
    run_id = held()
    before = len(house.jobs_said())
    house.leave("executor")

    gate.open()
    _wait_for(lambda: "the executor does not answer" in house.jobs_said()[before:], "nobody missed it")
    house.start("executor")

    _was_delivered_once(house, person, run_id)


@pytest.mark.parametrize("moment", ["it takes in what was left", "it has not written the end down"])
def test_a_run_is_delivered_once_when_the_executor_is_killed_while(
    moment: str, house: GoogleSplitHouse, person: PatientPerson, gate: Gate, held: Callable[..., str]
) -> None:
    run_id = held("much")
    pattern = "incoming/*" if moment == "it takes in what was left" else "boxes/*/box/outputs"
    before = set(_on_disk(house, pattern))

    gate.open()
    _wait_for(lambda: set(_on_disk(house, pattern)) - before, "it never came so far")
    house.kill("executor")
    house.start("executor")

    _was_delivered_once(house, person, run_id)


def test_a_run_stopped_after_the_executor_was_killed_is_cancelled(
    house: GoogleSplitHouse, person: PatientPerson, held: Callable[..., str]
) -> None:
    run_id = held()
    house.kill("executor")
    house.start("executor")

    person.call("POST", f"/api/v1/runs/{run_id}/cancel", {})

    run = person.run(run_id)
    assert (run["status"], run["outcome"], run["attempt"]) == ("cancelled", "not_delivered", 1)
    assert person.call("GET", f"/api/v1/runs/{run_id}/receipts")["items"] == []
    _settled(house, run_id)


def test_a_run_stopped_just_before_the_executor_is_killed_is_cancelled(
    house: GoogleSplitHouse, person: PatientPerson, held: Callable[..., str]
) -> None:
    run_id = held()
    person.call("POST", f"/api/v1/runs/{run_id}/cancel", {})
    _wait_for(
        lambda: (
            any(one.get("stop") for one in _documents(house, "executor", "executions"))
            or person.call("GET", f"/api/v1/runs/{run_id}")["status"] == "cancelled"
        ),
        "nobody stopped it",
    )

    house.kill("executor")
    house.start("executor")

    run = person.run(run_id)
    assert (run["status"], run["outcome"], run["attempt"]) == ("cancelled", "not_delivered", 1)
    _settled(house, run_id)
