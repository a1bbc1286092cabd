"""Shards of what is asked for in rising order, and the outbox, which is."""

from __future__ import annotations

import zlib

from shared.store.port import Query, Where

# Five hundred writes a second is what an index on rising values takes; each shard has a range of its own in it, and
# `at` alone has none. Source: cloud.google.com/firestore/docs/best-practices (read November 2026).
SHARDS = tuple(range(10))
IN_SHARDS = Where("shard", "in", list(SHARDS))
OUTBOX = "_outbox"
UNSENT = Query(OUTBOX, (IN_SHARDS,), order_by="committed_at")


def shard_of(id: str) -> int:
    return SHARDS[zlib.crc32(id.encode()) % len(SHARDS)]
