"""Two executors at work at once, as while one revision takes another's place: what happens reaches either, and counts
once.

On the services as deployed, whatever FLOWS_HOUSE says.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from services.executor.adapters.shapes import JOB, PACKAGES
from tests.fakes.index import FakeIndex
from tests.flows.cut_google_house import HeldGoogleHouse
from tests.flows.gate import Gate
from tests.flows.house import TOKEN
from tests.flows.imports import LIVE_ONLY, agent_zip, allowed, imported, local
from tests.flows.outages import PatientPerson
from tests.flows.restarts import MAIN, PATIENCE_S, documents, wait_for, was_delivered_once

pytestmark = [pytest.mark.slow(seconds=120), pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.close()


@pytest.fixture(scope="module")
def index() -> Iterator[FakeIndex]:
    made = FakeIndex().start()
    made.add_old("lantern")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def house(
    tmp_path_factory: pytest.TempPathFactory,
    gate: Gate,
    index: FakeIndex,
    firestore_emulator: str,
    pubsub_emulator: str,
    storage_emulator: str,
) -> Iterator[HeldGoogleHouse]:
    made = HeldGoogleHouse(tmp_path_factory.mktemp("overlaps"), open_ports=(gate.port,), seed=11)
    made.environment["AB_PACKAGE_INDEX"] = index.url
    made.open()
    yield made
    made.close()


@pytest.fixture(scope="module")
def person(house: HeldGoogleHouse) -> PatientPerson:
    return PatientPerson(house.port, TOKEN, patience_s=PATIENCE_S)


def begun(person: PatientPerson, agent_id: str, gate: Gate) -> str:
    """A run that waits at the gate; what it has said before is on the page."""
    gate.shut()
    run_id = str(person.call("POST", f"/api/v1/agents/{agent_id}/runs", {})["id"])
    gate.wait_for_somebody()
    person.wait(f"/api/v1/runs/{run_id}/logs", lambda logs: "said before" in str(logs["items"]))
    return run_id


def test_runs_are_delivered_once_while_two_executors_hear_them(
    house: HeldGoogleHouse, person: PatientPerson, gate: Gate
) -> None:
    code = LIVE_ONLY + MAIN.format(port=gate.port)
    agent_id = str(allowed(person, agent_zip(code, hosts=[local(gate.port)]))["agent_id"])
    run_id = begun(person, agent_id, gate)

    def holder() -> str:
        (found,) = documents(house, "executor", "attempts_under_way")
        return str(found["holder"])

    older = holder()
    house.begin_next()
    wait_for(lambda: holder() != older, "the new one did not take it up")
    house.reports.cut()
    gate.open()
    was_delivered_once(house, person, run_id)

    for _ in range(3):
        run_id = begun(person, agent_id, gate)
        house.reports.cut()  # what it says next is heard by the other one
        gate.open()
        was_delivered_once(house, person, run_id)

    run_id = begun(person, agent_id, gate)
    house.leave_to_next()
    house.reports.cut()
    gate.open()
    was_delivered_once(house, person, run_id)


def test_packages_are_installed_by_the_next_executor_when_the_one_that_ordered_them_leaves(
    house: HeldGoogleHouse, person: PatientPerson, index: FakeIndex
) -> None:
    before = house.google.jobs_run.count(JOB.format(PACKAGES))
    index.asked.clear()
    index.held_up = threading.Event()
    main = "import agent, lantern\nagent.deliver('inbox', f'v{lantern.HERE}')\n"
    conversation = imported(person, agent_zip(main, packages=["lantern"]))
    plan = conversation["plan"]
    decision = {"decision": "approve", "manifest_hash": plan["manifest_hash"]}
    person.call("POST", f"/api/v1/plans/{plan['id']}/decision", decision)
    wait_for(lambda: index.asked, "no job asked for them")

    house.begin_next()
    house.leave_to_next()
    index.held_up.set()

    ready = person.conversation(conversation["id"], "ready", "failed")
    assert ready["state"] == "ready", ready["problem"]
    run = person.runs(ready["agent_id"])
    assert (run["status"], run["outcome"]) == ("succeeded", "delivered"), run["reason"]
    assert house.google.jobs_run.count(JOB.format(PACKAGES)) >= before + 2
    wait_for(lambda: house.google.running == [], "something still runs")
