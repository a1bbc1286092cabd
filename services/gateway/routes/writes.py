"""One write of a rehearsal let through: exactly that request, once, in a new rehearsal."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field

from services.gateway.model.documents import Request
from services.gateway.repository.changes import note_changes
from services.gateway.repository.shapes import GRANTS, REQUESTS
from services.gateway.routes.agents import live_agent
from services.gateway.routes.answers import Api, Body, Id, cause, deps, refusal, scope
from shared.clock import stamp
from shared.errors import Conflict, NotFound
from shared.events.run import RunRequested
from shared.ids import derived
from shared.records.executor import Run
from shared.records.gateway import Agent, Grant
from shared.store.port import Tx

api = Api("writes")

# A person is watching.
_QUEUE_LIMIT = timedelta(minutes=10)
_OVER = frozenset({"succeeded", "failed", "cancelled", "timed_out", "refused"})


class WritePath(BaseModel):
    id: str = Field(max_length=200)
    write_id: str = Field(max_length=200)


class WriteChoice(Body):
    decision: Literal["send"]


@api.post("/runs/<string:id>/writes/<string:write_id>/decision", Id, 202)
def post_write_decision(path: WritePath, body: WriteChoice) -> Id:
    """Asked twice is asked once: the new rehearsal's id follows from the write. What the code then does
    otherwise than before is shown again, not sent."""
    run = scope().get(deps().readers["executor"], "runs", path.id, Run)
    shown = next((write for write in run.would_send if write.get("id") == path.write_id), None)
    if shown is None:
        raise refusal(NotFound, "not_found")
    run_id = derived("run", run.id, "write", path.write_id)

    def ask(tx: Tx) -> None:
        if tx.get(REQUESTS, run_id) is not None:
            return
        agent = live_agent(tx, run.agent_id)
        if agent.quarantine is not None:
            raise refusal(Conflict, "quarantined")
        if run.kind != "test" or run.status not in _OVER:
            raise refusal(Conflict, "write_not_now")
        grant = scope().find(tx, GRANTS, run.grant_id or "", Grant)
        if grant is None or not _is_write_of(grant, str(shown.get("url", ""))):
            raise refusal(Conflict, "no_grant")
        _request(tx, run, agent, run_id, path.write_id)

    deps().store.transact(ask, cause=cause())
    return Id(id=run_id)


def _is_write_of(grant: Grant, url: str) -> bool:
    host = urlsplit(url).hostname
    return any(rule.effect == "write" and rule.host == host for rule in grant.agent_file.manifest.hosts)


def _request(tx: Tx, run: Run, agent: Agent, run_id: str, write_id: str) -> None:
    """Outside the conversation: whether the version passes was decided by its own rehearsal."""
    manifest = agent.agent_file.manifest
    now = deps().clock.now()
    deadline = stamp(now + _QUEUE_LIMIT + timedelta(seconds=manifest.limits.wall_s))
    promised = Request(
        id=run_id,
        workspace_id=agent.workspace_id,
        kind="run",
        run_kind="test",
        agent_id=agent.id,
        version_id=run.version_id,
        grant_id=run.grant_id,
        input=run.input,
        deadline_at=deadline,
        at=stamp(now),
    )
    tx.create(REQUESTS, run_id, promised.to_doc())
    tx.emit(
        RunRequested(
            run_id=run_id,
            agent_id=agent.id,
            version_id=run.version_id,
            kind="test",
            grant_id=run.grant_id,
            input=run.input,
            tokens=manifest.tokens.per_run,
            tokens_per_day=manifest.tokens.per_day,
            allowed_writes=(write_id,),
            deadline_at=deadline,
            requested_at=promised.at,
        )
    )
    note_changes(tx, promised.at, ("run", run_id))
