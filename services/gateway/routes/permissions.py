"""Parked runs' questions."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from services.gateway.model.approval import regranted
from services.gateway.model.documents import PlanChoice
from services.gateway.repository.changes import note_changes
from services.gateway.repository.shapes import CHOICES, GRANTS, NOTICES
from services.gateway.routes.answers import Answer, Api, Body, ById, Id, cause, deps, person, refusal, scope
from shared.agentfile.model import AgentFile, HostRule
from shared.errors import Conflict
from shared.events.permission import PermissionDecided
from shared.records.executor import PermissionRequest, Run
from shared.records.gateway import Grant, Notice
from shared.store.port import Tx, Where

api = Api("permission-requests")


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
    run = scope().get(executor, "runs", asked.run_id, Run)

    def decide(tx: Tx) -> None:
        decision: Literal["approve", "reject"] = "approve" if body.decision == "allow" else "reject"
        before = scope().find(tx, CHOICES, asked.id, PlanChoice)
        if before is not None and before.decision == decision:
            return
        if before is not None or asked.status != "open":
            raise refusal(Conflict, "request_closed")
        grant_id = _widened(tx, asked, run) if body.decision == "allow" else None
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
        note_changes(tx, deps().now(), ("run", run.id), ("agent", asked.agent_id))

    deps().store.transact(decide, cause=cause())
    return Id(id=asked.id)


def _answer_notices(tx: Tx, run_id: str) -> None:
    """What asked the person to decide has been decided."""
    for notice in scope().all(tx, NOTICES, Notice, Where("about", "==", run_id), order_by="at"):
        if notice.kind == "parked" and notice.read_at is None:
            tx.put(NOTICES, notice.id, notice.but(read_at=deps().now()).to_doc())


def _widened(tx: Tx, asked: PermissionRequest, run: Run) -> str:
    """A grant with the one place more that was asked for: this host, port, method and path, nothing wider."""
    if run.grant_id is None:
        raise refusal(Conflict, "no_grant")
    before = scope().get(tx, GRANTS, run.grant_id, Grant)
    rule = HostRule(
        host=asked.host,
        port=asked.port,
        scheme="http" if asked.port == 80 else "https",
        path=asked.path,
        methods=(asked.method,),
        effect="read" if asked.method in ("GET", "HEAD", "OPTIONS") else "write",
        why=asked.sentence[:400],
    )
    manifest = before.agent_file.manifest
    wider: AgentFile = before.agent_file.model_copy(
        update={"manifest": manifest.model_copy(update={"hosts": (*manifest.hosts, rule)})}
    )
    grant = regranted(before, wider, before.version_id, person().actor, deps().now())
    tx.create(GRANTS, grant.id, grant.to_doc())
    return grant.id
