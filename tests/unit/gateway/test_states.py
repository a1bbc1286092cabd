"""An agent's memory over the API: listed with what is current, rewound by asking the one who owns it."""

from __future__ import annotations

from typing import Any

from services.gateway.model.access import OWNER_WORKSPACE
from shared.events.agent import StateRewindRefused, StateRewindRequested, StateRewound
from shared.records.executor import StateHead, StateVersion
from tests.unit.gateway.conftest import World

VERSIONS = "/api/v1/agents/agent_1/state/versions"
REWIND = "/api/v1/agents/agent_1/state/rewind"


def state(world: World, number: int, **more: Any) -> None:
    made = StateVersion(
        id=f"agent_1-{number:06d}",
        workspace_id=OWNER_WORKSPACE,
        agent_id="agent_1",
        number=number,
        run_id=f"run_{number}",
        blob_key=f"executor/state/{number}.tar",
        sha256="0" * 64,
        size=10 * number,
        at=world.deps.now(),
    ).but(**more)
    world.put("executor", "states", made)


def head(world: World, current: int, newest: int) -> None:
    made = StateHead(id="agent_1", workspace_id=OWNER_WORKSPACE, current=current, newest=newest)
    world.put("executor", "state_heads", made)


def test_versions_are_listed_newest_first_with_the_one_that_counts(world: World) -> None:
    world.agent()
    state(world, 1)
    state(world, 2, rewound_from=1, run_id="run_1")
    state(world, 3, standing="aside")
    head(world, current=2, newest=3)

    listed = world.call("GET", VERSIONS).json

    assert (listed["rewinding"], listed["problem"]) == (None, "")
    assert listed["items"][1] == {
        "number": 2,
        "run_id": "run_1",
        "at": world.deps.now(),
        "size": 20,
        "current": True,
        "rewound_from": 1,
        "standing": "promoted",
    }
    assert [(item["number"], item["current"]) for item in listed["items"]] == [
        (3, False),
        (2, True),
        (1, False),
    ]


def test_the_newest_counts_in_a_database_from_before_there_was_a_head(world: World) -> None:
    world.agent()
    state(world, 1)
    state(world, 2)

    assert [item["current"] for item in world.call("GET", VERSIONS).json["items"]] == [True, False]


def test_a_rewind_is_asked_for_once_and_shown_until_it_is_done(world: World) -> None:
    world.agent()
    state(world, 1)
    state(world, 2)
    key = {"Idempotency-Key": "k"}

    first = world.call("POST", REWIND, json={"number": 1}, headers=key)
    again = world.call("POST", REWIND, json={"number": 1}, headers=key)

    assert (first.status_code, first.json) == (202, again.json)
    (asked,) = world.emitted()
    assert asked == StateRewindRequested(agent_id="agent_1", rewind_id=first.json["id"], number=1)
    assert world.call("GET", VERSIONS).json["rewinding"] == 1

    done = StateRewound(agent_id="agent_1", rewind_id=first.json["id"], number=3, rewound_from=1)
    assert world.receive(done, "executor").verdict == "ack"
    assert world.call("GET", VERSIONS).json["rewinding"] is None


def test_a_refused_rewind_says_why_until_the_next_one(world: World) -> None:
    world.agent()
    state(world, 1)
    asked = world.call("POST", REWIND, json={"number": 1}).json["id"]

    refused = StateRewindRefused(agent_id="agent_1", rewind_id=asked, number=1, reason="gone")
    world.receive(refused, "executor")

    listed = world.call("GET", VERSIONS).json
    assert listed["rewinding"] is None
    assert "정리됐어요" in listed["problem"]
    world.clock.advance(seconds=1)
    world.call("POST", REWIND, json={"number": 1})
    assert world.call("GET", VERSIONS).json["problem"] == ""


def test_what_is_not_there_or_never_counted_cannot_be_rewound_to(world: World) -> None:
    world.agent()
    state(world, 1)
    state(world, 2, standing="candidate")

    for number, status, code in ((7, 404, "no_state"), (2, 409, "state_candidate"), (0, 400, "bad_fields")):
        answer = world.call("POST", REWIND, json={"number": number})
        assert (answer.status_code, answer.json["code"]) == (status, code)
    assert world.as_charlie("POST", REWIND, json={"number": 1}).status_code == 404
    assert world.emitted() == []
