"""Saying yes or no to a plan: by its hash, with its secrets, once."""

from __future__ import annotations

from typing import Any

import pytest

from services.gateway.model.access import OWNER_WORKSPACE
from services.gateway.model.documents import Request
from shared.errors import NotAllowed, NotFound
from shared.events.plan import PlanDecided, PlanEdited
from shared.records.gateway import Agent, Grant
from tests.unit.gateway.conftest import World, agent_file
from tests.unit.gateway.test_conversations import HOOK, files_with

DECIDE = "/api/v1/plans/plan_1/decision"


def slack_file() -> Any:
    return agent_file(channels=[{"kind": "slack", "secret": "SLACK_WEBHOOK_URL", "why": "보고"}])


def key_file(host: str = "api.example.com") -> Any:
    return agent_file(secrets=[{"name": "NAVER_CLIENT_ID", "host": host, "why": "검색량"}])


def yes(world: World, hash: str, **secrets: str) -> Any:
    return world.call("POST", DECIDE, json={"decision": "approve", "manifest_hash": hash, "secrets": secrets})


def test_a_yes_writes_grant_and_agent_and_tells_the_planner(world: World) -> None:
    plan = world.plan()

    answer = yes(world, plan.manifest_hash)

    assert answer.status_code == 200
    grant = Grant.from_doc(world.deps.store.get("grants", answer.json["grant_id"]).data)  # type: ignore[union-attr]
    agent = Agent.from_doc(world.deps.store.get("agents", answer.json["agent_id"]).data)  # type: ignore[union-attr]
    assert grant.manifest_hash == plan.manifest_hash
    assert grant.version_id == "ver_1"
    assert not agent.enabled
    assert agent.version_id is None
    (event,) = world.emitted()
    assert isinstance(event, PlanDecided)
    assert (event.decision, event.grant_id) == ("approve", grant.id)


def test_a_second_yes_is_the_first_and_a_later_no_is_refused(world: World) -> None:
    plan = world.plan()

    first, second = yes(world, plan.manifest_hash), yes(world, plan.manifest_hash)
    no = world.call("POST", DECIDE, json={"decision": "reject", "manifest_hash": plan.manifest_hash})

    assert first.json == second.json
    assert (no.status_code, no.json["code"]) == (409, "plan_decided")
    assert len(world.emitted()) == 1


def test_a_no_writes_no_grant(world: World) -> None:
    plan = world.plan()

    answer = world.call("POST", DECIDE, json={"decision": "reject", "manifest_hash": plan.manifest_hash})

    assert answer.json == {"agent_id": "agent_1", "grant_id": None}
    assert world.deps.store.get("agents", "agent_1") is None
    assert [getattr(event, "decision", "") for event in world.emitted()] == ["reject"]


def test_only_the_newest_hash_can_be_decided(world: World) -> None:
    plan = world.plan()

    assert yes(world, "0" * 64).status_code == 409
    world.conversation(plan_id="plan_2")
    assert yes(world, plan.manifest_hash).json["code"] == "plan_changed"
    assert world.emitted() == []


def test_a_plan_whose_hash_is_not_its_contents_is_refused(world: World) -> None:
    plan = world.plan(manifest_hash="a" * 64)

    assert yes(world, plan.manifest_hash).json["code"] == "plan_changed"


def test_a_stranger_decides_and_changes_nothing(world: World) -> None:
    plan = world.plan()
    body = {"decision": "approve", "manifest_hash": plan.manifest_hash}

    assert world.as_charlie("POST", DECIDE, json=body).status_code == 404
    assert world.as_charlie("PATCH", "/api/v1/plans/plan_1", json={"schedule": None}).status_code == 404
    assert world.emitted() == []


def test_missing_secrets_are_named_field_by_field(world: World) -> None:
    plan = world.plan(slack_file())

    answer = yes(world, plan.manifest_hash)

    assert (answer.status_code, answer.json["code"]) == (400, "secrets_missing")
    assert answer.json["fields"] == {"SLACK_WEBHOOK_URL": "required"}
    assert "SLACK_WEBHOOK_URL" in answer.json["detail"]


@pytest.mark.parametrize("value", ["not an address", "ftp://x/y", "https://", "https://a b/c"])
def test_a_channel_needs_a_whole_address(world: World, value: str) -> None:
    plan = world.plan(slack_file())

    answer = yes(world, plan.manifest_hash, SLACK_WEBHOOK_URL=value)

    assert (answer.status_code, answer.json["code"]) == (400, "bad_webhook")


def test_a_typed_secret_is_bound_to_the_host_on_the_sheet(world: World) -> None:
    plan = world.plan(key_file())

    answer = yes(world, plan.manifest_hash, NAVER_CLIENT_ID="the-clear-value-1")

    grant = Grant.from_doc(world.deps.store.get("grants", answer.json["grant_id"]).data)  # type: ignore[union-attr]
    secret_id = grant.secrets["NAVER_CLIENT_ID"]
    reveal = world.deps.vault.reveal
    assert reveal(world.deps.store, OWNER_WORKSPACE, secret_id, "api.example.com") == "the-clear-value-1"
    with pytest.raises(NotAllowed):
        reveal(world.deps.store, OWNER_WORKSPACE, secret_id, "evil.example.com")
    with pytest.raises(NotFound):
        reveal(world.deps.store, "wsp_charlie", secret_id, "api.example.com")
    assert not files_with(world.data, "the-clear-value-1")


def test_a_stored_secret_counts_for_its_own_host_only(world: World) -> None:
    world.call("PUT", "/api/v1/secrets/NAVER_CLIENT_ID", json={"value": "v1", "host": "api.example.com"})
    same, other = (
        world.plan(key_file()),
        world.plan(key_file("evil.example.com"), id="plan_2", agent_id="agent_2"),
    )

    refused = world.call(
        "POST",
        "/api/v1/plans/plan_2/decision",
        json={"decision": "approve", "manifest_hash": other.manifest_hash},
    )
    world.conversation(plan_id="plan_1")

    assert refused.json["code"] == "secrets_missing"
    assert yes(world, same.manifest_hash).status_code == 200


def test_a_webhook_pasted_in_the_chat_is_used_without_typing_it_again(world: World) -> None:
    world.call("POST", "/api/v1/conversations", json={"text": f"슬랙 웹훅 {HOOK} 로 보내 줘"})
    plan = world.plan(slack_file())

    assert yes(world, plan.manifest_hash).status_code == 200


def test_a_key_pasted_in_the_chat_is_bound_on_the_yes_of_that_conversation_only(world: World) -> None:
    world.conversation()
    file = agent_file(secrets=[{"name": "API_KEY", "host": "api.example.com", "why": "검색"}])
    said = {"text": "내 api 키는 abcDEF123456789012345 야"}
    world.call("POST", "/api/v1/conversations/conv_1/messages", json=said)

    elsewhere = world.plan(file, id="plan_2", conversation_id="conv_2")
    body = {"decision": "approve", "manifest_hash": elsewhere.manifest_hash}
    assert world.call("POST", "/api/v1/plans/plan_2/decision", json=body).json["code"] == "secrets_missing"
    here = world.plan(file)

    assert yes(world, here.manifest_hash).status_code == 200
    assert world.call("GET", "/api/v1/secrets").json["items"][0]["host"] == "api.example.com"


def test_an_imported_plan_never_finds_a_secret_by_its_name(world: World) -> None:
    world.call("PUT", "/api/v1/secrets/SLACK_WEBHOOK_URL", json={"value": HOOK})
    plan = world.plan(slack_file())
    request = Request(
        id="conv_1", workspace_id=OWNER_WORKSPACE, kind="conversation", imported=True, at=world.deps.now()
    )
    world.put("gateway", "requests", request)

    assert yes(world, plan.manifest_hash).json["code"] == "secrets_missing"
    assert yes(world, plan.manifest_hash, SLACK_WEBHOOK_URL=HOOK).status_code == 200


def test_a_value_nobody_asked_for_is_refused(world: World) -> None:
    plan = world.plan()

    assert yes(world, plan.manifest_hash, OTHER="x").json["code"] == "secret_not_asked"


def test_an_edit_of_schedule_and_caps_is_passed_on(world: World) -> None:
    world.plan()

    answer = world.call(
        "PATCH",
        "/api/v1/plans/plan_1",
        json={"schedule": {"cron": "30 18 * * 1-5", "timezone": "Asia/Seoul"}, "caps": {"per_run": 100}},
    )

    assert answer.status_code == 202
    (event,) = world.emitted()
    assert isinstance(event, PlanEdited)
    assert event.changes["caps"] == {"per_run": 100, "per_day": 0}
    schedule = event.changes["schedule"]
    assert isinstance(schedule, dict)
    assert schedule["cron"] == "30 18 * * 1-5"


@pytest.mark.parametrize(
    "body",
    [
        {"schedule": {"cron": "0 9 31 2 *", "timezone": "Asia/Seoul"}},
        {"schedule": {"cron": "99 9 * * *"}},
        {"schedule": {"cron": "0 9 * * *", "timezone": "Mars/Olympus"}},
        {"caps": {"per_run": -1}},
        {},
    ],
)
def test_an_impossible_edit_is_told_what_to_do(world: World, body: Any) -> None:
    world.plan()

    answer = world.call("PATCH", "/api/v1/plans/plan_1", json=body)

    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert world.emitted() == []
