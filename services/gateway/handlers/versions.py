"""A rehearsal passed and was shown: that version is what the switch makes live."""

from __future__ import annotations

from services.gateway.deps import Deps
from services.gateway.repository.changes import note_changes
from services.gateway.repository.scope import Scope
from services.gateway.repository.shapes import AGENTS
from shared.errors import NotYet
from shared.events.plan import VersionReady
from shared.records.gateway import Agent
from shared.records.planner import Version
from shared.store.port import Tx


def on_version_ready(event: VersionReady, tx: Tx, deps: Deps) -> None:
    """Raises: NotYet while the agent's own document is on its way."""
    own = Scope(tx.cause.workspace_id)
    agent = own.find(tx, AGENTS, event.agent_id, Agent)
    if agent is None:
        raise NotYet(f"agent {event.agent_id} is not known yet")
    if agent.shown_version_id:
        shown = own.find(deps.readers["planner"], "versions", agent.shown_version_id, Version)
        if shown is not None and (shown.number or 0) >= event.number:
            return
    # updated_at is the revision others order agent.changed by; this is no such change.
    tx.put(AGENTS, agent.id, agent.but(shown_version_id=event.version_id).to_doc())
    note_changes(tx, deps.now(), ("agent", agent.id), ("conversation", event.conversation_id))
