"""A repair leaves many replays: a person's list of runs, the agent's card and the next repair look past them."""

from __future__ import annotations

from typing import Any

from services.gateway.model.access import OWNER_WORKSPACE
from shared.clock import stamp
from shared.records.executor import Run
from tests.unit.gateway.conftest import World


def run(world: World, id: str, **more: Any) -> None:
    world.clock.advance(seconds=1)
    at = stamp(world.clock.now())
    given = {
        "id": id,
        "workspace_id": OWNER_WORKSPACE,
        "agent_id": "agent_1",
        "version_id": "ver_1",
        "kind": "manual",
        "status": "succeeded",
        "outcome": "delivered",
        "requested_at": at,
        "deadline_at": at,
        "finished_at": at,
        **more,
    }
    world.put("executor", "runs", Run.model_validate(given))


def test_they_are_not_listed_and_hide_no_run(world: World) -> None:
    world.agent(enabled=True, version_id="ver_1", version_number=1, grant_id="grant_1")
    run(world, "run_old")
    run(world, "run_good")
    run(world, "run_again", kind="replay", replay_of="run_good")
    for n in range(120):
        run(
            world,
            f"run_trial_{n}",
            kind="replay",
            replay_of="run_good",
            conversation_id="conv_1",
            variation="altered",
        )
    run(world, "run_broken", outcome="not_delivered")

    listed = world.call("GET", "/api/v1/agents/agent_1/runs").json
    first = world.call("GET", "/api/v1/agents/agent_1/runs?limit=2").json
    rest = world.call("GET", f"/api/v1/agents/agent_1/runs?limit=2&cursor={first['next_cursor']}").json

    everything = ["run_broken", "run_again", "run_good", "run_old"]
    assert [item["id"] for item in listed["items"]] == everything
    assert [item["id"] for item in (*first["items"], *rest["items"])] == everything
    assert rest["next_cursor"] is None
    assert world.call("GET", "/api/v1/agents/agent_1").json["last_run"]["id"] == "run_broken"
