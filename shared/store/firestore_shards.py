"""Shards of what is asked for in rising order: the outbox, notes of changes, and what is asked for by time alone."""

from __future__ import annotations

import zlib

from shared.store.port import MAX_IN, Query, Where

# Five hundred writes a second is what an index on rising values takes; each shard has a range of its own in it, and
# the time alone has none. Source: cloud.google.com/firestore/docs/best-practices (read November 2026). As many as one
# question may name: documents written when there were fewer stay within them.
SHARDS = tuple(range(MAX_IN))
IN_SHARDS = Where("shard", "in", list(SHARDS))
SHARD = "_shard"  # in every document
OUTBOX = "_outbox"
UNSENT = Query(OUTBOX, (IN_SHARDS,), order_by="committed_at")


def shard_of(id: str) -> int:
    return SHARDS[zlib.crc32(id.encode()) % len(SHARDS)]


def spread(query: Query) -> bool:
    """Whether this query is asked of all shards: it orders by one field, and nothing else narrows it."""
    return query.order_by is not None and all(where.op not in ("==", "in") for where in query.where)
