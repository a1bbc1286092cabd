"""Which composite indexes Firestore needs for a query; terraform makes them from docs/databases.json.

SQLite answers any query without one and the emulator never asks for one, so this is where a missing index
would be noticed first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from shared.store.firestore_shards import SHARD, spread
from shared.store.port import Query

Order = Literal["ASCENDING", "DESCENDING"]
Index = tuple[str, tuple[tuple[str, Order], ...]]


def composite(query: Query) -> Index | None:
    """Collection and fields of the index this query needs; None where the automatic ones of single fields do.

    A query by one field alone is asked by shard and field, so that no index begins with a value that rises.
    Fields compared with `==` or `in` come first, by name, so that queries which differ in the order of their
    conditions share an index. An index is read in one direction only, and ends with the document's name in
    that direction by itself.

    Source: cloud.google.com/firestore/docs/query-data/index-overview (read November 2026).
    """
    equal = [SHARD] if spread(query) else sorted({w.field for w in query.where if w.op in ("==", "in")})
    ranged = {where.field for where in query.where} - set(equal)
    last = query.order_by or next(iter(ranged), None)
    others = [field for field in equal if field != last]
    if last is None or not others:
        return None
    direction: Order = "DESCENDING" if query.descending else "ASCENDING"
    return query.collection, (*((field, "ASCENDING") for field in others), (last, direction))


def unasked(queries: Sequence[Query]) -> dict[str, set[str]]:
    """By collection: fields that queries order by and that no query needs an index of their own for. Such an index
    would hold rising values, and bound how fast the collection may be written to."""
    alone = {
        (query.collection, field)
        for query in queries
        if composite(query) is None
        for field in {query.order_by, *(where.field for where in query.where)}
    }
    found: dict[str, set[str]] = {}
    for query in queries:
        if query.order_by is not None and (query.collection, query.order_by) not in alone:
            found.setdefault(query.collection, set()).add(query.order_by)
    return found
