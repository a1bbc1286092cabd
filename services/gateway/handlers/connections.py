"""A key was tried out: what came of it stands where the person looks."""

from __future__ import annotations

from services.gateway.deps import Deps
from services.gateway.repository.changes import note_changes
from services.gateway.repository.scope import Scope
from services.gateway.repository.shapes import CONNECTIONS
from shared.events.connection import ConnectionTested
from shared.records.gateway import Connection
from shared.store.port import Tx


def on_connection_tested(event: ConnectionTested, tx: Tx, deps: Deps) -> None:
    """Only of the key that is there now: a late word about another one changes nothing."""
    found = Scope(tx.cause.workspace_id).find(tx, CONNECTIONS, event.connection_id, Connection)
    if found is None or found.deleted_at is not None or found.version != event.version:
        return
    tested = found.but(
        state="working" if event.ok else "failed",
        code=event.code,
        problem=event.problem,
        tokens=event.tokens,
        cost_usd_micros=event.cost_usd_micros,
        tested_at=deps.now(),
    )
    tx.put(CONNECTIONS, found.id, tested.to_doc())
    note_changes(tx, deps.now(), ("connection", found.id))
