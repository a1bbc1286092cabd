"""The tick: what is over is taken away."""

from __future__ import annotations

from datetime import timedelta

from services.gateway.deps import Deps
from services.gateway.model.access import oldest_session
from services.gateway.repository.shapes import CHANGES, LINKS, REMEMBERED, SESSIONS
from shared.clock import stamp
from shared.events.clock import TimeTicked
from shared.store.port import Query, Tx, Where

# A screen that was away longer than this reloads instead of catching up; a key is remembered as long.
_KEPT = timedelta(days=1)
_AT_ONCE = 100


def on_time_ticked(event: TimeTicked, tx: Tx, deps: Deps) -> None:
    now = deps.clock.now()
    for collection, field, before in (
        (LINKS, "expires_at", stamp(now)),
        (SESSIONS, "seen_at", oldest_session(now)),
        (CHANGES, "at", stamp(now - _KEPT)),
        (REMEMBERED, "at", stamp(now - _KEPT)),
    ):
        query = Query(collection, (Where(field, "<", before),), order_by=field, limit=_AT_ONCE)
        for document in tx.query(query):
            tx.delete(collection, document.id)
