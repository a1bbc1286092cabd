"""A rewind that was asked for here is done, or came to nothing."""

from __future__ import annotations

from services.gateway.deps import Deps
from services.gateway.model.documents import Request
from services.gateway.repository.changes import note_changes
from services.gateway.repository.scope import Scope
from services.gateway.repository.shapes import REQUESTS
from shared.events.agent import StateRewindRefused, StateRewound
from shared.store.port import Tx


def on_rewind_over(event: StateRewound | StateRewindRefused, tx: Tx, deps: Deps) -> None:
    asked = Scope(tx.cause.workspace_id).find(tx, REQUESTS, event.rewind_id, Request)
    if asked is None or asked.over:
        return
    problem = f"state_{event.reason}" if isinstance(event, StateRewindRefused) else ""
    tx.put(REQUESTS, asked.id, asked.but(over=True, text=problem).to_doc())
    note_changes(tx, deps.now(), ("agent", event.agent_id))
