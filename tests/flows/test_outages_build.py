"""The executor dies while a job installs packages for it: they are installed again, and the agent is built and runs.

On the services as deployed, whatever FLOWS_HOUSE says.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from services.executor.adapters.shapes import JOB, PACKAGES
from shared.bus.dispatch import LEASE
from shared.store.port import Query
from tests.fakes.index import FakeIndex
from tests.flows.cut_google_house import HeldGoogleHouse
from tests.flows.house import TOKEN
from tests.flows.imports import agent_zip, imported
from tests.flows.killing import until
from tests.flows.outages import PatientPerson
from tests.flows.person import Json

pytestmark = [pytest.mark.slow(seconds=120), pytest.mark.timeout(600)]

PATIENCE_S = 240
MAIN = """
import agent, {package}
agent.deliver("inbox", f"v{{{package}.HERE}}")
"""
# Of a copy inside the bucket: where runs find what has arrived and was read.
KEPT = b"To/b/"


@pytest.fixture(scope="module")
def index() -> Iterator[FakeIndex]:
    made = FakeIndex().start()
    for name in ("lantern", "harbor"):
        made.add_old(name)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def house(
    tmp_path_factory: pytest.TempPathFactory,
    index: FakeIndex,
    firestore_emulator: str,
    pubsub_emulator: str,
    storage_emulator: str,
) -> Iterator[HeldGoogleHouse]:
    made = HeldGoogleHouse(tmp_path_factory.mktemp("builds"), seed=11)
    made.environment["AB_PACKAGE_INDEX"] = index.url
    made.open()
    yield made
    made.close()


@pytest.fixture(scope="module")
def person(house: HeldGoogleHouse) -> PatientPerson:
    return PatientPerson(house.port, TOKEN, patience_s=PATIENCE_S)


def allows(person: PatientPerson, package: str) -> str:
    """The conversation's id; its build begins."""
    conversation = imported(person, agent_zip(MAIN.format(package=package), packages=[package]))
    plan = conversation["plan"]
    decision = {"decision": "approve", "manifest_hash": plan["manifest_hash"]}
    person.call("POST", f"/api/v1/plans/{plan['id']}/decision", decision)
    return str(conversation["id"])


def its_lease_ends(house: HeldGoogleHouse) -> None:
    """What the dead one had taken is anybody's again."""
    house.clock.forward_to(house.clock.now() + LEASE)


def documents(house: HeldGoogleHouse, service: str, collection: str) -> list[dict[str, Any]]:
    found = house.databases.read(service).query(Query(collection, limit=1000))
    return [document.data for document in found]


def comes_right(house: HeldGoogleHouse, person: PatientPerson, conversation_id: str, builds: int) -> None:
    """The agent is ready and delivers. builds: how many executions at least have installed packages in
    this house."""
    ready = person.conversation(conversation_id, "ready", "failed")
    assert ready["state"] == "ready", ready["problem"]
    results = [message["data"]["state"] for message in ready["messages"] if message["kind"] == "result"]
    assert results == ["ready"]
    run = person.runs(ready["agent_id"])
    assert (run["status"], run["outcome"]) == ("succeeded", "delivered"), run["reason"]
    assert [delivery["text"] for delivery in run["deliveries"]] == ["v1"]
    assert house.google.jobs_run.count(JOB.format(PACKAGES)) >= builds
    until(lambda: house.google.running == [], house.google.said, PATIENCE_S)
    _is_charged_once(house, person, ready, run)
    for service in ("executor", "planner", "gateway", "ledger"):
        until(
            lambda service=service: not documents(house, service, "_claims"),
            lambda service=service: f"{documents(house, service, '_claims')} of {service} are left",
            PATIENCE_S,
        )


def _is_charged_once(house: HeldGoogleHouse, person: PatientPerson, ready: Json, run: Json) -> None:
    ids = sorted([run["id"], ready["test_run"]["id"]])

    def booked() -> list[str]:
        return sorted(one["run_id"] for one in documents(house, "ledger", "usage") if one["run_id"] in ids)

    until(lambda: booked() == ids, lambda: f"{booked()} are booked, not {ids}", PATIENCE_S)
    person.wait("/api/v1/budget", lambda budget: budget["leased_tokens"] == 0)


def test_packages_are_installed_again_when_the_executor_is_killed_while_a_job_fetches_them(
    house: HeldGoogleHouse, person: PatientPerson, index: FakeIndex
) -> None:
    before = house.google.jobs_run.count(JOB.format(PACKAGES))
    index.asked.clear()
    index.held_up = threading.Event()
    conversation_id = allows(person, "lantern")
    until(lambda: index.asked, lambda: "no job asked for them", PATIENCE_S)
    assert house.google.running

    house.kill("executor")
    its_lease_ends(house)
    house.start("executor")
    index.held_up.set()

    comes_right(house, person, conversation_id, before + 2)


def test_packages_are_installed_again_when_the_executor_is_killed_before_it_has_kept_them(
    house: HeldGoogleHouse, person: PatientPerson
) -> None:
    before = house.google.jobs_run.count(JOB.format(PACKAGES))
    house.bucket.hold(KEPT)
    conversation_id = allows(person, "harbor")
    assert house.bucket.arrived.wait(PATIENCE_S), "nothing was kept"

    house.kill("executor")
    house.go_on()
    its_lease_ends(house)
    house.start("executor")

    comes_right(house, person, conversation_id, before + 2)
