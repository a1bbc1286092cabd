"""The executor dies or is replaced while jobs run: each goes on and is delivered once, as if nothing had been.

On the services as deployed, whatever FLOWS_HOUSE says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from services.executor.run_api.messages import PART_BYTES
from tests.flows.cut_google_house import HeldGoogleHouse
from tests.flows.cutting import Line
from tests.flows.gate import Gate
from tests.flows.house import TOKEN
from tests.flows.imports import LIVE_ONLY, agent_zip, allowed, local
from tests.flows.outages import PatientPerson
from tests.flows.restarts import (
    MAIN,
    PATIENCE_S,
    attempts,
    documents,
    settled,
    wait_for,
    was_delivered_once,
)

pytestmark = [pytest.mark.slow(seconds=120), pytest.mark.timeout(600)]


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
) -> Iterator[HeldGoogleHouse]:
    made = HeldGoogleHouse(tmp_path_factory.mktemp("restarts"), open_ports=(gate.port,), seed=11)
    made.open()
    yield made
    made.close()


@pytest.fixture(scope="module")
def person(house: HeldGoogleHouse) -> PatientPerson:
    return PatientPerson(house.port, TOKEN, patience_s=PATIENCE_S)


@pytest.fixture(scope="module")
def agent_id(person: PatientPerson, gate: Gate) -> str:
    code = LIVE_ONLY + MAIN.format(port=gate.port)
    return str(allowed(person, agent_zip(code, hosts=[local(gate.port)]))["agent_id"])


@pytest.fixture
def held(
    house: HeldGoogleHouse, person: PatientPerson, agent_id: str, gate: Gate
) -> Iterator[Callable[[str], str]]:
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
    house.go_on()
    house.google.deaf = False


def test_a_run_goes_on_when_the_executor_is_killed_in_the_middle_of_a_step(
    house: HeldGoogleHouse, person: PatientPerson, gate: Gate, held: Callable[..., str]
) -> None:
    run_id = held()

    house.kill("executor")
    house.start("executor")
    gate.open()

    was_delivered_once(house, person, run_id)


def test_a_run_that_ends_after_the_executor_was_told_to_leave_is_delivered_by_the_next(
    house: HeldGoogleHouse, person: PatientPerson, gate: Gate, held: Callable[..., str]
) -> None:
    run_id = held()
    missed = "the executor does not answer"
    before = house.google.said().count(missed)
    house.leave("executor")

    gate.open()
    wait_for(lambda: house.google.said().count(missed) > before, "nobody missed it")
    house.start("executor")

    was_delivered_once(house, person, run_id)


def _wait_at(line: Line, where: str) -> None:
    assert line.arrived.wait(PATIENCE_S), f"nobody came to {where}"


def test_a_run_is_delivered_once_when_the_executor_is_killed_while_it_takes_in_what_was_left(
    house: HeldGoogleHouse, person: PatientPerson, gate: Gate, held: Callable[..., str]
) -> None:
    run_id = held("much")
    house.reports.hold(f"/{PART_BYTES} HTTP".encode())

    gate.open()
    _wait_at(house.reports, "the second part")
    house.kill("executor")
    house.start("executor")
    house.go_on()

    was_delivered_once(house, person, run_id)


def test_a_run_is_delivered_once_when_the_executor_is_killed_before_it_has_written_the_end_down(
    house: HeldGoogleHouse, person: PatientPerson, gate: Gate, held: Callable[..., str]
) -> None:
    run_id = held()
    house.bucket.hold(b"executor%2Fartifacts")

    gate.open()
    _wait_at(house.bucket, "what was left")
    assert attempts(house, run_id) == []
    house.kill("executor")
    house.go_on()
    house.start("executor")

    was_delivered_once(house, person, run_id)


def test_a_run_stopped_after_the_executor_was_killed_is_cancelled(
    house: HeldGoogleHouse, person: PatientPerson, held: Callable[..., str]
) -> None:
    run_id = held()
    house.kill("executor")
    house.start("executor")

    person.call("POST", f"/api/v1/runs/{run_id}/cancel", {})

    run = person.run(run_id)
    assert (run["status"], run["outcome"], run["attempt"]) == ("cancelled", "not_delivered", 1)
    assert person.call("GET", f"/api/v1/runs/{run_id}/receipts")["items"] == []
    settled(house, run_id)


def test_a_run_stopped_just_before_the_executor_is_killed_is_cancelled(
    house: HeldGoogleHouse, person: PatientPerson, held: Callable[..., str]
) -> None:
    run_id = held()
    house.reports.hold()  # the job does not learn of it
    house.google.deaf = True  # by neither way

    person.call("POST", f"/api/v1/runs/{run_id}/cancel", {})
    wait_for(
        lambda: any(one.get("stop") for one in documents(house, "executor", "executions")),
        "nobody stopped it",
    )
    house.kill("executor")
    house.google.deaf = False
    house.start("executor")
    house.go_on()

    run = person.run(run_id)
    assert (run["status"], run["outcome"], run["attempt"]) == ("cancelled", "not_delivered", 1)
    settled(house, run_id)
