"""The tick: what is over is taken away."""

from __future__ import annotations

from datetime import timedelta

from services.gateway.deps import Deps
from services.gateway.model.access import oldest_session
from services.gateway.repository.shapes import LINKS, REMEMBERED, SESSIONS
from shared.clock import stamp
from shared.events.clock import TimeTicked
from shared.store.port import Query, Tx, Where

_KEPT = timedelta(days=1)  # how long a key is remembered
_AT_ONCE = 100


def on_time_ticked(event: TimeTicked, tx: Tx, deps: Deps) -> None:
    now = deps.clock.now()
    for collection, field, before in (
        (LINKS, "expires_at", stamp(now)),
        (SESSIONS, "seen_at", oldest_session(now)),
        (REMEMBERED, "at", stamp(now - _KEPT)),
    ):
        query = Query(collection, (Where(field, "<", before),), order_by=field, limit=_AT_ONCE)
        for document in tx.query(query):
            tx.delete(collection, document.id)
