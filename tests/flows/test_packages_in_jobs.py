"""Where runs are jobs, what they import is installed by a job: the question, the yes, and the run that uses it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.executor.adapters.shapes import JOB, PACKAGES
from tests.fakes.index import FakeIndex
from tests.flows.house import CloudRunHouse
from tests.flows.test_packages import asked


@pytest.fixture
def house(tmp_path: Path) -> Iterator[CloudRunHouse]:
    index = FakeIndex().start()
    index.add_old("reqeusts")
    made = CloudRunHouse(tmp_path)
    made.environment["AB_PACKAGE_INDEX"] = index.url
    try:
        made.open()
        yield made
    finally:
        made.close()
        index.stop()


def test_an_agents_packages_are_installed_by_a_job_and_used_by_another(house: CloudRunHouse) -> None:
    person = house.person()
    conversation, request = asked(person)
    person.call("POST", f"/api/v1/permission-requests/{request['id']}/decision", {"decision": "allow"})
    ready = person.conversation(conversation["id"], "ready", "failed")
    assert ready["state"] == "ready", ready["problem"]

    run = person.runs(ready["agent_id"])

    assert run["status"] == "succeeded", run
    began = house.runs.google.jobs_run
    assert (began[0], set(began)) == (JOB.format(PACKAGES), {JOB.format(PACKAGES), JOB.format("small")})
    assert not any(house.folder.glob("wheels/*")), "the executor holds no packages"
