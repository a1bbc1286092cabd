"""An agent caught with a decoy stands still: off, marked, told of, and let go by a person's own word alone."""

from __future__ import annotations

import pytest

from shared.events.agent import AgentChanged, AgentQuarantined
from shared.events.run import RunRequested
from shared.records.gateway import Agent
from tests.unit.gateway.conftest import World

ONE = "/api/v1/agents/agent_1"
CAUGHT = AgentQuarantined(agent_id="agent_1", run_id="run_1", text="가짜 비밀을 빼내려고 했어요. (stdout: X)")


def stored(world: World) -> Agent:
    found = world.deps.store.get("agents", "agent_1")
    assert found is not None
    return Agent.from_doc(found.data)


def caught(world: World) -> None:
    world.agent(enabled=True, version_id="ver_1", version_number=1, grant_id="grant_1")
    world.receive(CAUGHT, source="executor")


def test_the_agent_is_switched_off_for_everybody_and_the_person_is_asked(world: World) -> None:
    caught(world)

    agent = stored(world)
    assert agent.quarantine is not None
    assert (agent.enabled, agent.quarantine.run_id, agent.quarantine.text) == (False, "run_1", CAUGHT.text)
    (changed,) = world.emitted()
    assert isinstance(changed, AgentChanged)
    assert (changed.enabled, changed.revision) == (False, agent.updated_at)
    (note,) = world.call("GET", "/api/v1/notices").json["items"]
    assert (note["kind"], note["about"], note["needs_decision"]) == ("quarantine", "agent_1", True)
    assert CAUGHT.text in note["text"]
    card = world.call("GET", ONE).json
    assert card["quarantine"]["run_id"] == "run_1"
    assert [waiting["kind"] for waiting in card["waiting"]] == ["quarantine"]


def test_a_second_theft_changes_nothing_about_the_first_and_a_deleted_agent_stays_deleted(
    world: World,
) -> None:
    caught(world)
    first = stored(world)
    world.receive(CAUGHT.model_copy(update={"run_id": "run_2"}), source="executor", id="evt_2")
    assert stored(world) == first

    world.agent(deleted_at=world.deps.now())
    world.receive(CAUGHT.model_copy(update={"run_id": "run_3"}), source="executor", id="evt_3")
    assert stored(world).quarantine is None


def test_nobody_but_the_executor_can_quarantine(world: World) -> None:
    world.agent(enabled=True, version_id="ver_1", version_number=1, grant_id="grant_1")
    world.receive(CAUGHT, source="planner")
    assert stored(world).quarantine is None


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", ONE, {"enabled": True}),
        ("PATCH", ONE, {"enabled": True, "version": "ver_1"}),
        ("POST", f"{ONE}/runs", {}),
    ],
)
def test_a_quarantined_agent_can_neither_be_switched_on_nor_run(
    method: str, path: str, body: dict[str, object], world: World
) -> None:
    caught(world)
    answer = world.call(method, path, json=body)
    assert (answer.status_code, answer.json["code"]) == (409, "quarantined")
    assert not [event for event in world.emitted() if isinstance(event, RunRequested)]
    assert not stored(world).enabled


def test_a_person_lifts_it_and_the_agent_stays_off_until_switched_on(world: World) -> None:
    caught(world)
    values: tuple[object, ...] = (False, {}, "no")
    for value in values:
        assert world.call("PATCH", ONE, json={"quarantine": value}).status_code == 400
    assert world.call("PATCH", ONE, json={"name": "다른 이름"}).json["quarantine"] is not None
    assert world.as_charlie("PATCH", ONE, json={"quarantine": None}).status_code == 404

    lifted = world.call("PATCH", ONE, json={"quarantine": None})

    assert (lifted.status_code, lifted.json["quarantine"], lifted.json["enabled"]) == (200, None, False)
    assert world.call("GET", "/api/v1/notices").json["items"][0]["read_at"] is not None
    assert lifted.json["waiting"] == []
    assert world.call("POST", f"{ONE}/runs", json={}).status_code == 202
