"""Packages wait for a person's yes: noticed like a parked run, for the version has no run of its own yet."""

from __future__ import annotations

from services.gateway.deps import Deps
from services.gateway.handlers.notices import notice
from services.gateway.repository.scope import Scope
from services.gateway.repository.shapes import AGENTS
from shared.errors import NotYet
from shared.events.environment import EnvironmentAsked
from shared.records.executor import PermissionRequest
from shared.records.gateway import Agent
from shared.store.port import Tx


def on_environment_asked(event: EnvironmentAsked, tx: Tx, deps: Deps) -> None:
    """A question that was answered before this fact arrived is not noticed. Raises: NotYet."""
    own = Scope(tx.cause.workspace_id)
    asked = own.find(
        deps.readers["executor"], "permission_requests", event.permission_request_id, PermissionRequest
    )
    if asked is None:
        raise NotYet("The question is not readable yet.")
    if asked.status != "open":
        return
    notice(
        tx,
        deps.now(),
        kind="packages",
        agent=own.find(tx, AGENTS, asked.agent_id, Agent),
        about=asked.id,
        text=asked.sentence,
        needs_decision=True,
        also=(("agent", asked.agent_id), ("conversation", event.conversation_id)),
    )
