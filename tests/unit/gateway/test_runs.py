"""Runs over the API: asked for, watched, cancelled; their files by links that end."""

from __future__ import annotations

import json
from typing import Any

from services.gateway.model.access import OWNER_WORKSPACE
from shared.events.environment import EnvironmentAsked
from shared.events.permission import PackagesDecided, PermissionDecided
from shared.events.run import RunCancelRequested, RunRequested
from shared.records.executor import Artifact, PermissionRequest, RunEntry, RunFeed
from shared.records.gateway import Grant, Notice
from shared.records.scheduler import Slot
from tests.unit.gateway.conftest import World
from tests.unit.gateway.test_conversations import frames

PNG = b"\x89PNG not really"


def entry(seq: int, kind: str = "log") -> RunEntry:
    data = {"stream": "out", "text": f"줄 {seq}"} if kind == "log" else {"name": f"단계 {seq}"}
    return RunEntry.model_validate(
        {
            "id": f"run_1-{seq:08d}",
            "workspace_id": OWNER_WORKSPACE,
            "run_id": "run_1",
            "attempt": 1,
            "seq": seq,
            "kind": kind,
            "at": "2026-11-22T09:00:00.000000Z",
            "data": data,
        }
    )


def artifact(world: World, name: str = "chart.png", media: str = "image/png") -> Artifact:
    made = Artifact(
        id=f"art_{name}",
        workspace_id=OWNER_WORKSPACE,
        run_id="run_1",
        agent_id="agent_1",
        name=f"outputs/{name}",
        size=len(PNG),
        media_type=media,
        sha256="0" * 64,
        blob_key="executor/artifacts/one",
        at=world.deps.now(),
    )
    world.deps.blobs.put(made.blob_key, PNG)
    world.put("executor", "artifacts", made)
    return made


def test_a_run_asked_for_is_queued_at_once(world: World) -> None:
    world.agent(enabled=True, version_id="ver_1", version_number=1, grant_id="grant_1")

    asked = world.call("POST", "/api/v1/agents/agent_1/runs", json={"input": {"day": 2}})

    assert asked.status_code == 202
    read = world.call("GET", f"/api/v1/runs/{asked.json['id']}").json
    assert (read["status"], read["kind"], read["input"]) == ("queued", "manual", {"day": 2})
    (event,) = world.emitted()
    assert isinstance(event, RunRequested)
    assert (event.version_id, event.grant_id, event.kind) == ("ver_1", "grant_1", "manual")
    assert event.deadline_at > event.requested_at


def test_a_rehearsal_can_be_read_as_soon_as_its_conversation_names_it(world: World) -> None:
    world.conversation(state="testing", agent_id="agent_1", version_id="ver_1", test_run_id="run_rehearsal")

    read = world.call("GET", "/api/v1/runs/run_rehearsal").json

    assert (read["status"], read["kind"], read["agent_id"]) == ("queued", "test", "agent_1")
    assert world.call("GET", "/api/v1/runs/run_other").status_code == 404


def test_a_slots_run_can_be_read_as_soon_as_the_slot_can(world: World) -> None:
    slot = {"id": "run_slot", "workspace_id": OWNER_WORKSPACE, "agent_id": "agent_1", "run_id": "run_slot"}
    at = "2026-11-22T00:00:00.000000Z"
    world.put("scheduler", "slots", Slot.model_validate({**slot, "at": at, "status": "requested"}))
    missed = {**slot, "id": "run_missed", "run_id": None, "at": at, "status": "missed"}
    world.put("scheduler", "slots", Slot.model_validate(missed))

    read = world.call("GET", "/api/v1/runs/run_slot").json

    assert (read["status"], read["kind"], read["slot_at"]) == ("queued", "scheduled", at)
    assert world.call("GET", "/api/v1/runs/run_missed").status_code == 404


def test_a_rehearsed_agent_can_be_run_before_it_is_switched_on_and_a_new_one_cannot(world: World) -> None:
    world.agent()
    assert world.call("POST", "/api/v1/agents/agent_1/runs", json={}).status_code == 202

    world.agent(shown_version_id=None)
    answer = world.call("POST", "/api/v1/agents/agent_1/runs", json={})
    assert (answer.status_code, answer.json["code"]) == (409, "not_rehearsed")


def test_a_stranger_sees_nothing_of_a_run(world: World) -> None:
    world.agent()
    world.run()
    artifact(world)
    asked = world.call("POST", "/api/v1/agents/agent_1/runs", json={}).json["id"]

    for run_id in ("run_1", asked):
        for tail in ("", "/events", "/logs", "/artifacts", "/receipts"):
            assert world.as_charlie("GET", f"/api/v1/runs/{run_id}{tail}").status_code == 404, tail
        assert world.as_charlie("POST", f"/api/v1/runs/{run_id}/cancel").status_code == 404


def test_logs_are_paged_and_hold_only_logs(world: World) -> None:
    world.run()
    for seq in range(1, 7):
        world.put("executor", "run_entries", entry(seq, "step" if seq == 2 else "log"))

    first = world.call("GET", "/api/v1/runs/run_1/logs?limit=3").json
    second = world.call("GET", f"/api/v1/runs/run_1/logs?limit=3&cursor={first['next_cursor']}").json

    assert [item["seq"] for item in first["items"]] == [1, 3, 4]
    assert [item["seq"] for item in second["items"]] == [5, 6]
    assert second["next_cursor"] is None
    assert world.call("GET", "/api/v1/runs/run_1/logs?cursor=-1").status_code == 400
    assert world.call("GET", "/api/v1/runs/run_1/logs?limit=900").status_code == 400


def test_the_runs_of_an_agent_are_listed_newest_first(world: World) -> None:
    world.agent()
    for n in range(3):
        world.clock.advance(seconds=1)
        world.run(f"run_{n}")

    listed = world.call("GET", "/api/v1/agents/agent_1/runs?limit=2").json

    assert [run["id"] for run in listed["items"]] == ["run_2", "run_1"]
    assert listed["next_cursor"]


def test_the_stream_of_a_run_resumes(world: World) -> None:
    world.run()
    for seq in (1, 2, 3):
        world.put("executor", "run_entries", entry(seq))
    world.put("executor", "run_feeds", RunFeed(id="run_1", workspace_id=OWNER_WORKSPACE, next_seq=4))

    seen = frames(world, "/api/v1/runs/run_1/events", 2, last_id="2")

    assert [(f["event"], f.get("id")) for f in seen] == [("entry", "3"), ("run", None)]
    assert json.loads(seen[1]["data"])["status"] == "succeeded"


def test_cancelling_is_passed_on_unless_it_is_over(world: World) -> None:
    world.run(status="running", outcome="pending")
    world.run("run_over")

    assert world.call("POST", "/api/v1/runs/run_1/cancel").status_code == 202
    assert world.call("POST", "/api/v1/runs/run_over/cancel").json["code"] == "run_over"
    assert world.emitted() == [RunCancelRequested(run_id="run_1")]


def parked(world: World) -> None:
    world.agent()
    world.run(status="parked", outcome="pending", grant_id="grant_1", permission_request_id="perm_1")
    request = PermissionRequest(
        id="perm_1",
        workspace_id=OWNER_WORKSPACE,
        run_id="run_1",
        agent_id="agent_1",
        status="open",
        sentence="shop.example.com에 가도 될까요?",
        host="shop.example.com",
        port=443,
        method="GET",
        path="/new",
        at=world.deps.now(),
    )
    world.put("executor", "permission_requests", request)


def notice(world: World, **more: Any) -> Notice:
    return Notice.model_validate(
        {"id": "note_1", "workspace_id": OWNER_WORKSPACE, "at": world.deps.now(), **more}
    )


def decide(world: World, decision: str) -> Any:
    return world.call("POST", "/api/v1/permission-requests/perm_1/decision", json={"decision": decision})


def test_a_parked_runs_question_is_answered_once_with_exactly_what_was_asked(world: World) -> None:
    parked(world)
    told = {"kind": "parked", "agent_id": "agent_1", "about": "run_1", "text": "?", "needs_decision": True}
    world.put("gateway", "notices", notice(world, **told))
    assert world.call("GET", "/api/v1/permission-requests?status=open").json["items"][0]["id"] == "perm_1"
    assert world.call("GET", "/api/v1/agents").json["waiting"] == 1

    first, again, other = decide(world, "allow"), decide(world, "allow"), decide(world, "deny")

    assert (first.status_code, again.status_code, other.status_code) == (200, 200, 409)
    assert world.call("GET", "/api/v1/notices").json["items"][0]["read_at"] is not None
    (event,) = (e for e in world.emitted() if isinstance(e, PermissionDecided))
    (asked,) = (e for e in world.emitted() if isinstance(e, RunRequested))
    assert (asked.run_id, asked.grant_id) == ("run_1", event.grant_id)
    grant = Grant.from_doc(world.deps.store.get("grants", event.grant_id or "").data)  # type: ignore[union-attr]
    (rule,) = grant.agent_file.manifest.hosts
    assert (rule.host, rule.port, rule.path, rule.methods, rule.effect) == (
        "shop.example.com",
        443,
        "/new",
        ("GET",),
        "read",
    )


def test_a_no_to_a_parked_run_carries_no_grant_and_a_stranger_cannot_answer(world: World) -> None:
    parked(world)
    path = "/api/v1/permission-requests/perm_1/decision"

    assert world.as_charlie("POST", path, json={"decision": "allow"}).status_code == 404
    assert world.as_charlie("GET", "/api/v1/permission-requests").json["items"] == []
    decide(world, "deny")

    assert world.emitted() == [
        PermissionDecided(run_id="run_1", permission_request_id="perm_1", decision="deny", grant_id=None)
    ]


def test_a_question_about_packages_is_answered_once_and_widens_nothing(world: World) -> None:
    world.agent()
    request = PermissionRequest(
        id="perm_1",
        workspace_id=OWNER_WORKSPACE,
        run_id="",
        agent_id="agent_1",
        kind="package",
        version_id="ver_1",
        packages=("reqeusts==1.0",),
        reasons=("reqeusts?",),
        status="open",
        sentence="reqeusts?",
        host="",
        port=0,
        method="",
        path="",
        at=world.deps.now(),
    )
    world.put("executor", "permission_requests", request)
    asked = EnvironmentAsked(
        version_id="ver_1",
        conversation_id="conv_1",
        permission_request_id="perm_1",
        packages=request.packages,
    )
    for id in ("e1", "e1", "e2"):
        assert world.receive(asked, "executor", id=id).verdict == "ack"
    (told,) = world.call("GET", "/api/v1/notices").json["items"]
    assert (told["kind"], told["about"], told["agent_id"]) == ("packages", "perm_1", "agent_1")
    assert (told["needs_decision"], told["text"], told["read_at"]) == (True, "reqeusts?", None)
    assert world.call("GET", "/api/v1/agents").json["waiting"] == 1
    path = "/api/v1/permission-requests/perm_1/decision"
    assert world.as_charlie("POST", path, json={"decision": "allow"}).status_code == 404

    first, again, other = decide(world, "allow"), decide(world, "allow"), decide(world, "deny")

    assert (first.status_code, again.status_code, other.status_code) == (200, 200, 409)
    assert world.emitted() == [
        PackagesDecided(version_id="ver_1", permission_request_id="perm_1", decision="allow")
    ]
    assert world.call("GET", "/api/v1/notices").json["items"][0]["read_at"] is not None


def test_packages_are_not_noticed_when_the_question_was_answered_before_the_fact_came(world: World) -> None:
    world.agent()
    given = {"id": "perm_1", "workspace_id": OWNER_WORKSPACE, "run_id": "", "agent_id": "agent_1"}
    place = {"host": "", "port": 0, "method": "", "path": "", "sentence": "?", "at": world.deps.now()}
    request = PermissionRequest.model_validate({**given, **place, "kind": "package", "status": "denied"})
    world.put("executor", "permission_requests", request)
    asked = EnvironmentAsked(version_id="ver_1", conversation_id="conv_1", permission_request_id="perm_1")

    assert world.receive(asked, "executor").verdict == "ack"

    assert world.call("GET", "/api/v1/notices").json["items"] == []
