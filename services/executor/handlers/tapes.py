"""Tapes end with what they belong to: an agent, or a workspace together with the key to all of them. With a
workspace goes what was built from source for it alone."""

from __future__ import annotations

from services.executor import repository
from services.executor.deps import Deps
from services.executor.tapes import retention
from shared.bus.dispatch import Failed, Job
from shared.events.agent import AgentChanged
from shared.events.workspace import WorkspaceDeleted
from shared.store.port import Tx


class RemoveJob(Job):
    """agent_id "": all of the workspace's."""

    workspace_id: str
    agent_id: str = ""


def claim_agent_changed(event: AgentChanged, tx: Tx, deps: Deps) -> RemoveJob | None:
    deps.attempts.warming.changed(event.agent_id)  # no sandbox kept ready fits any more
    if not event.deleted:
        return None
    return RemoveJob(workspace_id=tx.cause.workspace_id, agent_id=event.agent_id)


def claim_workspace_deleted(event: WorkspaceDeleted, tx: Tx, deps: Deps) -> RemoveJob:
    """The key goes with the fact itself: from this commit on no copy of a tape can be read any more."""
    tx.delete(repository.TAPE_KEYS, event.workspace_id)
    return RemoveJob(workspace_id=event.workspace_id)


def do_remove(job: RemoveJob, deps: Deps) -> None:
    if job.agent_id:
        retention.remove_of_agent(deps.store, deps.blobs, deps.clock, job.workspace_id, job.agent_id)
        return
    deps.tapes.keys.forget(job.workspace_id)
    deps.store.scrub()
    retention.remove_of_workspace(deps.store, deps.blobs, deps.clock, job.workspace_id)
    deps.builder.forget(job.workspace_id)


def record_remove(job: RemoveJob, outcome: Failed | None, tx: Tx, deps: Deps) -> None:
    """Nothing more: what could not be deleted goes with its period."""
