"""Permission: a plan is changed, allowed or refused by its hash, and its secrets are bound to their hosts."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from services.gateway.model.approval import Needed, granted, is_what_was_shown, needed, new_agent
from services.gateway.model.documents import PlanChoice, Request
from services.gateway.model.redaction import own_host
from services.gateway.repository.changes import note_changes
from services.gateway.repository.shapes import AGENTS, CHOICES, GRANTS, REQUESTS
from services.gateway.routes.answers import (
    Answer,
    Api,
    Body,
    ById,
    Id,
    cause,
    deps,
    language,
    person,
    refusal,
    scope,
)
from services.gateway.routes.conversations import vault_of
from shared.agentfile.model import Check, Schedule
from shared.agentfile.schedule import check_schedule
from shared.errors import BadRequest, Conflict
from shared.events.plan import PlanDecided, PlanEdited
from shared.records.gateway import Agent, Secret
from shared.records.planner import Conversation, Plan
from shared.store.port import Tx

api = Api("plans")


class Caps(Body):
    """Tokens; absent: unchanged."""

    per_run: int | None = Field(None, ge=0)
    per_day: int | None = Field(None, ge=0)


class PlanChange(Body):
    """schedule null: only by hand. Absent parts stay."""

    schedule: Schedule | None = None
    caps: Caps | None = None
    contract: tuple[Check, ...] | None = Field(None, max_length=40)


class Decision(Body):
    """secrets: values for the names the plan asks for; they go straight to the vault."""

    decision: Literal["approve", "reject"]
    manifest_hash: str = Field(max_length=100)
    secrets: dict[str, str] = {}


class Decided(Answer):
    """grant_id is null for a rejection."""

    agent_id: str
    grant_id: str | None


@api.patch("/plans/<string:id>", Id, 202)
def patch_plan(path: ById, body: PlanChange) -> Id:
    plan = _plan(path.id)
    _refuse_decided(plan)
    if body.schedule is not None:
        check_schedule(body.schedule, language(), deps().clock.now())
    changes: dict[str, object] = {}
    if "schedule" in body.model_fields_set:
        changes["schedule"] = body.schedule.model_dump(mode="json") if body.schedule else None
    if body.caps is not None:
        before = plan.agent_file.manifest.tokens
        changes["caps"] = {**before.model_dump(), **body.caps.model_dump(exclude_none=True)}
    if body.contract is not None:
        changes["contract"] = [check.model_dump(mode="json") for check in body.contract]
    if not changes:
        raise refusal(BadRequest, "bad_request")
    event = PlanEdited(plan_id=plan.id, conversation_id=plan.conversation_id, changes=changes)
    deps().store.transact(lambda tx: tx.emit(event), cause=cause())
    return Id(id=plan.id)


@api.post("/plans/<string:id>/decision", Decided)
def post_decision(path: ById, body: Decision) -> Decided:
    plan = _plan(path.id)
    conversation = scope().find(
        deps().readers["planner"], "conversations", plan.conversation_id, Conversation
    )
    newest = conversation is None or conversation.plan_id in (None, plan.id)
    if not newest or plan.status == "superseded" or not is_what_was_shown(plan, body.manifest_hash):
        raise refusal(Conflict, "plan_changed")

    def decide(tx: Tx) -> PlanChoice:
        before = scope().find(tx, CHOICES, plan.id, PlanChoice)
        if before is not None and before.decision == body.decision:
            return before
        if before is not None or plan.status != "proposed":
            raise refusal(Conflict, "plan_decided")
        return _approve(tx, plan, body.secrets) if body.decision == "approve" else _choose(tx, plan, None)

    choice = deps().store.transact(decide, cause=cause())
    return Decided(agent_id=choice.agent_id, grant_id=choice.grant_id)


def _approve(tx: Tx, plan: Plan, given: dict[str, str]) -> PlanChoice:
    agent = scope().find(tx, AGENTS, plan.agent_id, Agent)
    if agent is not None and agent.deleted_at:
        raise refusal(Conflict, "no_agent")
    grant = granted(plan, _bound_secrets(tx, plan, given), person().actor, deps().now())
    tx.create(GRANTS, grant.id, grant.to_doc())
    if agent is None:
        fresh = new_agent(plan, deps().now())
        tx.create(AGENTS, fresh.id, fresh.to_doc())
    return _choose(tx, plan, grant.id)


def _choose(tx: Tx, plan: Plan, grant_id: str | None) -> PlanChoice:
    decision: Literal["approve", "reject"] = "approve" if grant_id else "reject"
    choice = PlanChoice(
        id=plan.id,
        workspace_id=plan.workspace_id,
        decision=decision,
        agent_id=plan.agent_id,
        grant_id=grant_id,
        at=deps().now(),
    )
    tx.create(CHOICES, plan.id, choice.to_doc())
    tx.emit(
        PlanDecided(
            plan_id=plan.id,
            conversation_id=plan.conversation_id,
            agent_id=plan.agent_id,
            version_id=plan.version_id,
            decision=decision,
            manifest_hash=plan.manifest_hash,
            grant_id=grant_id,
        )
    )
    note_changes(tx, deps().now(), ("conversation", plan.conversation_id), ("agent", plan.agent_id))
    return choice


def _bound_secrets(tx: Tx, plan: Plan, given: dict[str, str]) -> dict[str, str]:
    """Name -> vault entry for everything the plan needs. Raises: BadRequest naming what is missing or odd."""
    wanted = needed(plan.agent_file)
    odd = sorted(set(given) - {need.name for need in wanted})
    if odd:
        raise refusal(BadRequest, "secret_not_asked", names=", ".join(odd)[:300])
    bound: dict[str, str] = {}
    missing: dict[str, str] = {}
    request = scope().find(deps().store, REQUESTS, plan.conversation_id, Request)
    by_name = request is None or not request.imported
    for need in wanted:
        secret = _typed(tx, need, given[need.name]) if given.get(need.name) else None
        if secret is None and by_name:
            secret = _stored(tx, need, plan.conversation_id)
        if secret is None:
            missing[need.name] = "required"
        else:
            bound[need.name] = secret.id
    if missing:
        raise refusal(BadRequest, "secrets_missing", missing, names=", ".join(missing))
    return bound


def _typed(tx: Tx, need: Needed, value: str) -> Secret:
    value = value.strip()
    if not value or len(value) > 8000:
        raise refusal(BadRequest, "bad_secret", {need.name: "empty or too long"})
    if not need.channel:
        return vault_of().add(tx, need.name, value, need.host, channel=False)
    host = own_host(value)
    if not host or not value.lower().startswith(("https://", "http://")) or any(c.isspace() for c in value):
        raise refusal(BadRequest, "bad_webhook", {need.name: "not an address"})
    return vault_of().add(tx, need.name, value, host, channel=True)


def _stored(tx: Tx, need: Needed, conversation_id: str) -> Secret | None:
    """What is already bound to the same host; a channel's address is its own host. A value from this very
    conversation that has no host yet gets this one: the person is looking at it on the sheet."""
    entries = [secret for secret in vault_of().all(tx) if secret.name == need.name]
    if need.channel:
        return next((secret for secret in entries if secret.channel), None)
    usable = [secret for secret in entries if not secret.channel]
    found = next((secret for secret in usable if secret.host == need.host), None)
    if found is not None:
        return found
    loose = [secret for secret in usable if not secret.host and secret.conversation_id == conversation_id]
    return vault_of().bind(tx, loose[0], need.host) if loose else None


def _plan(id: str) -> Plan:
    return scope().get(deps().readers["planner"], "plans", id, Plan)


def _refuse_decided(plan: Plan) -> None:
    if plan.status != "proposed" or deps().store.get(CHOICES, plan.id) is not None:
        raise refusal(Conflict, "plan_decided")
