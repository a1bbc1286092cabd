"""A mended version becomes live by itself where its person has set that, and then never in silence."""

from __future__ import annotations

from typing import Any

import pytest

from shared.agentfile.model import AgentFile
from shared.events.agent import AgentChanged
from shared.events.plan import VersionReady
from shared.records.gateway import Agent, Grant, Notice
from tests.unit.gateway.conftest import World, agent_file

ONE = "/api/v1/agents/agent_1"
LIVE = {"enabled": True, "version_id": "ver_1", "version_number": 1, "grant_id": "grant_1"}
WIDER = agent_file(hosts=[{"host": "new.example.com", "why": "더"}])


def ready(world: World, *, repair: str = "sure", number: int = 2) -> None:
    event = VersionReady.model_validate(
        {
            "version_id": "ver_2",
            "agent_id": "agent_1",
            "conversation_id": "conv_1",
            "number": number,
            "run_id": "run_t",
            "repair": repair,
        }
    )
    for _ in range(2):  # told twice
        assert world.receive(event, "planner", id="ready").verdict == "ack"


def stored(world: World) -> Agent:
    found = world.deps.store.get("agents", "agent_1")
    assert found is not None
    return Agent.from_doc(found.data)


def notices(world: World) -> list[Notice]:
    listed = world.call("GET", "/api/v1/notices").json["items"]
    return [Notice.model_validate(item) for item in listed]


def test_it_is_off_until_it_is_set(world: World) -> None:
    world.agent(**LIVE)
    world.version("ver_2", 2)

    ready(world)

    agent = stored(world)
    assert (agent.repairs_go_live, agent.version_id, agent.shown_version_id) == (False, "ver_1", "ver_2")
    assert world.emitted() == []


def test_set_on_the_page_a_repair_is_live_under_the_yes_that_was_given_and_told(world: World) -> None:
    world.agent(**LIVE)
    card = world.call("PATCH", ONE, json={"repairs_go_live": True}).json
    assert card["repairs_go_live"] is True
    world.version("ver_2", 2)

    ready(world)

    agent = stored(world)
    assert (agent.version_id, agent.version_number, agent.shown_version_id) == ("ver_2", 2, "ver_2")
    document = world.deps.store.get("grants", agent.grant_id or "")
    assert document is not None
    grant = Grant.from_doc(document.data)
    assert (grant.version_id, grant.by) == ("ver_2", "user:test")
    told = [event for event in world.emitted() if isinstance(event, AgentChanged) and event.by_repair]
    assert [(event.version_id, event.revision) for event in told] == [("ver_2", agent.updated_at)]
    (notice,) = notices(world)
    assert (notice.kind, notice.agent_id) == ("repaired", "agent_1")
    assert "고친 버전(2)" in notice.text

    back = world.call("PATCH", ONE, json={"enabled": True, "version": "ver_1"}).json
    assert back["version_id"] == "ver_1", "one click goes back"


@pytest.mark.parametrize(
    ("agent", "file", "repair"),
    [
        ({}, None, "unsure"),
        ({}, None, ""),
        ({}, WIDER, "sure"),
        ({"enabled": False}, None, "sure"),
        ({"quarantine": {"run_id": "run_1", "text": "함정", "at": ""}}, None, "sure"),
    ],
    ids=["not sure of it", "no repair", "wider", "switched off", "quarantined"],
)
def test_otherwise_it_waits_for_its_person(
    world: World, agent: dict[str, Any], file: AgentFile | None, repair: str
) -> None:
    world.agent(**{**LIVE, "repairs_go_live": True, **agent})
    world.version("ver_2", 2, file)

    ready(world, repair=repair)

    assert (stored(world).version_id, stored(world).shown_version_id) == ("ver_1", "ver_2")
    assert notices(world) == []


def test_another_promise_is_no_repair_that_goes_live(world: World) -> None:
    world.agent(**LIVE, repairs_go_live=True)
    more = {"check": "rows", "path": "outputs/a.csv", "min": 1, "says": "하나 이상"}
    other = AgentFile.model_validate({**agent_file().model_dump(), "contract": [more]})
    world.version("ver_2", 2, other)

    ready(world)

    assert stored(world).version_id == "ver_1"
