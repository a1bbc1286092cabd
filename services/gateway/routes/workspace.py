"""The end of a workspace: its agents, secrets and recordings go; what was delivered and the books stay."""

from __future__ import annotations

from pydantic import Field

from services.gateway.model.access import Workspace
from services.gateway.repository.shapes import AGENTS, SECRETS, WORKSPACES
from services.gateway.routes.agents import repository, save_agent
from services.gateway.routes.answers import Api, Body, Id, cause, deps, refusal, scope
from services.gateway.routes.connections import repository as connections
from services.gateway.routes.conversations import vault_of
from shared.errors import BadRequest
from shared.events.workspace import WorkspaceDeleted
from shared.records.gateway import Agent
from shared.store.port import Tx

api = Api("workspace")

# What a person types where the workspace has no name.
_WORDS = ("삭제", "delete")


class Confirmation(Body):
    """confirm: the workspace's name; where it has none, 삭제 or delete."""

    confirm: str = Field(max_length=200)


@api.delete("/workspace", Id, 202)
def delete_workspace(body: Confirmation) -> Id:
    """Agents are switched off and deleted, secrets destroyed, and the key of all recordings with them: no copy
    of those can be read from then on."""
    own = scope()
    workspace = own.find(deps().store, WORKSPACES, own.workspace_id, Workspace)
    name = workspace.name.strip() if workspace else ""
    if body.confirm.strip() not in ((name,) if name else _WORDS):
        raise refusal(BadRequest, "not_confirmed", {"confirm": "name"})

    def delete(tx: Tx) -> None:
        for agent in repository().all():
            current = own.find(tx, AGENTS, agent.id, Agent)
            if current is not None and current.deleted_at is None:
                save_agent(tx, current, current.but(enabled=False, deleted_at=deps().now()))
        for secret in vault_of().all(tx):
            tx.put(SECRETS, secret.id, secret.but(sealed="", deleted_at=deps().now()).to_doc())
        connections().delete(tx)
        tx.emit(WorkspaceDeleted(workspace_id=own.workspace_id, at=deps().now()))

    deps().store.transact(delete, cause=cause())
    deps().store.scrub()
    return Id(id=own.workspace_id)
