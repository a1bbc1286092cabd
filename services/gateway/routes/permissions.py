"""Parked runs' questions."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import BaseModel

from services.gateway.model.approval import regranted, with_place
from services.gateway.model.documents import PlanChoice
from services.gateway.repository.changes import note_changes
from services.gateway.repository.shapes import AGENTS, CHOICES, GRANTS, NOTICES
from services.gateway.routes.agents import save_agent
from services.gateway.routes.answers import Answer, Api, Body, ById, Id, cause, deps, person, refusal, scope
from shared.clock import stamp
from shared.errors import Conflict
from shared.events.permission import PackagesDecided, PermissionDecided
from shared.events.run import RunRequested
from shared.records.executor import PermissionRequest, Run
from shared.records.gateway import Agent, Grant, Notice
from shared.store.port import Tx, Where

api = Api("permission-requests")

# How long an allowed run may wait for room.
_QUEUE_LIMIT = timedelta(minutes=10)


class StatusQuery(BaseModel):
    status: Literal["open", "allowed", "denied", "expired"] = "open"


class PermissionRequestList(Answer):
    items: tuple[PermissionRequest, ...]


class PermissionChoice(Body):
    decision: Literal["allow", "deny"]


@api.get("/permission-requests", PermissionRequestList)
def list_permission_requests(query: StatusQuery) -> PermissionRequestList:
    where = Where("status", "==", query.status)
    found = scope().all(
        deps().readers["executor"], "permission_requests", PermissionRequest, where, order_by="at"
    )
    return PermissionRequestList(items=tuple(found))


@api.post("/permission-requests/<string:id>/decision", Id)
def post_permission_decision(path: ById, body: PermissionChoice) -> Id:
    executor = deps().readers["executor"]
    asked = scope().get(executor, "permission_requests", path.id, PermissionRequest)
    if asked.kind == "package":
        deps().store.transact(lambda tx: _decide_packages(tx, asked, body.decision), cause=cause())
        return Id(id=asked.id)
    run = scope().get(executor, "runs", asked.run_id, Run)

    def decide(tx: Tx) -> None:
        decision: Literal["approve", "reject"] = "approve" if body.decision == "allow" else "reject"
        before = scope().find(tx, CHOICES, asked.id, PlanChoice)
        if before is not None and before.decision == decision:
            return
        if before is not None or asked.status != "open":
            raise refusal(Conflict, "request_closed")
        if body.decision == "allow":
            _still_holds(tx, asked)
        grant = _widened(tx, asked, run) if body.decision == "allow" else None
        grant_id = grant.id if grant else None
        choice = PlanChoice(
            id=asked.id,
            workspace_id=asked.workspace_id,
            decision=decision,
            agent_id=asked.agent_id,
            grant_id=grant_id,
            at=deps().now(),
        )
        tx.create(CHOICES, choice.id, choice.to_doc())
        _answer_notices(tx, run.id)
        tx.emit(
            PermissionDecided(
                run_id=run.id, permission_request_id=asked.id, decision=body.decision, grant_id=grant_id
            )
        )
        if grant is not None:
            _ask_for_money(tx, run, grant)
        note_changes(tx, deps().now(), ("run", run.id), ("agent", asked.agent_id))

    deps().store.transact(decide, cause=cause())
    return Id(id=asked.id)


def _decide_packages(tx: Tx, asked: PermissionRequest, said: Literal["allow", "deny"]) -> None:
    """A yes or no to packages binds this version and widens nothing else."""
    decision: Literal["approve", "reject"] = "approve" if said == "allow" else "reject"
    before = scope().find(tx, CHOICES, asked.id, PlanChoice)
    if before is not None and before.decision == decision:
        return
    if before is not None or asked.status != "open":
        raise refusal(Conflict, "request_closed")
    choice = PlanChoice(
        id=asked.id,
        workspace_id=asked.workspace_id,
        decision=decision,
        agent_id=asked.agent_id,
        grant_id=None,
        at=deps().now(),
    )
    tx.create(CHOICES, choice.id, choice.to_doc())
    _answer_notices(tx, asked.id)
    tx.emit(PackagesDecided(version_id=asked.version_id, permission_request_id=asked.id, decision=said))
    note_changes(tx, deps().now(), ("agent", asked.agent_id))


def _answer_notices(tx: Tx, about: str) -> None:
    """What asked the person to decide has been decided. about: the run's id, or the packages' question's."""
    for notice in scope().all(tx, NOTICES, Notice, Where("about", "==", about), order_by="at"):
        if notice.kind in ("parked", "packages") and notice.read_at is None:
            tx.put(NOTICES, notice.id, notice.but(read_at=deps().now()).to_doc())


def _still_holds(tx: Tx, asked: PermissionRequest) -> None:
    """A question binds the version that asked it. Raises: Conflict."""
    agent = scope().find(tx, AGENTS, asked.agent_id, Agent)
    now = agent.version_id if agent is not None else None
    if agent is not None and agent.quarantine is not None:
        raise refusal(Conflict, "quarantined")
    if asked.version_id and now and now != asked.version_id:
        raise refusal(Conflict, "request_void")


def _widened(tx: Tx, asked: PermissionRequest, run: Run) -> Grant:
    """A grant with the one place more that was asked for; the agent goes on under it."""
    if run.grant_id is None:
        raise refusal(Conflict, "no_grant")
    before = scope().get(tx, GRANTS, run.grant_id, Grant)
    wider = with_place(before.agent_file, asked)
    grant = regranted(before, wider, before.version_id, person().actor, deps().now())
    tx.create(GRANTS, grant.id, grant.to_doc())
    agent = scope().find(tx, AGENTS, asked.agent_id, Agent)
    if agent is not None and agent.deleted_at is None and agent.grant_id == before.id:
        # Said once, it holds for the runs that follow, too.
        manifest = grant.agent_file.manifest
        file = agent.agent_file.model_copy(update={"manifest": manifest})
        save_agent(tx, agent, agent.but(grant_id=grant.id, agent_file=file))
    return grant


def _ask_for_money(tx: Tx, run: Run, grant: Grant) -> None:
    """Parking closed the lease, so the run is asked for again under its own id."""
    limits = grant.agent_file.manifest.limits
    deadline = deps().clock.now() + _QUEUE_LIMIT + timedelta(seconds=limits.wall_s)
    tx.emit(
        RunRequested(
            run_id=run.id,
            agent_id=run.agent_id,
            version_id=run.version_id,
            kind=run.kind,
            grant_id=grant.id,
            conversation_id=run.conversation_id,
            input=run.input,
            slot_at=run.slot_at,
            tokens=grant.agent_file.manifest.tokens.per_run,
            tokens_per_day=grant.agent_file.manifest.tokens.per_day,
            deadline_at=stamp(deadline),
            requested_at=run.requested_at,
        )
    )
