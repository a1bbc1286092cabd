"""Which composite indexes Firestore needs for a query; terraform makes them from docs/databases.json.

SQLite answers any query without one and the emulator never asks for one, so this is where a missing index
would be noticed first.
"""

from __future__ import annotations

from typing import Literal

from shared.store.port import Query

Order = Literal["ASCENDING", "DESCENDING"]
Index = tuple[str, tuple[tuple[str, Order], ...]]


def composite(query: Query) -> Index | None:
    """Collection and fields of the index this query needs; None where the automatic ones of single fields do.

    Fields compared with `==` or `in` come first, by name, so that queries which differ in the order of their
    conditions share an index. An index is read in one direction only, and ends with the document's name in
    that direction by itself.

    Source: cloud.google.com/firestore/docs/query-data/index-overview (read November 2026).
    """
    equal = sorted({where.field for where in query.where if where.op in ("==", "in")})
    ranged = {where.field for where in query.where} - set(equal)
    last = query.order_by or next(iter(ranged), None)
    others = [field for field in equal if field != last]
    if last is None or not others:
        return None
    direction: Order = "DESCENDING" if query.descending else "ASCENDING"
    return query.collection, (*((field, "ASCENDING") for field in others), (last, direction))
