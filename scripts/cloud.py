"""What terraform reads of the code: topics with their senders and readers, databases with their indexes.

Written beside the pages of `make docs` as JSON, so that neither terraform nor the test that holds it to the
code has to understand the other's language.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.store.port import Query

SERVICES = ("executor", "gateway", "ledger", "planner", "scheduler")
# Where a service declares the queries that are made in its database.
_OWN = {
    "executor": ("repository",),
    "gateway": ("repository.shapes",),
    "ledger": ("repository",),
    "planner": ("repository", "meter"),
    "scheduler": ("repository",),
}


def events() -> str:
    """`topics`: who publishes and who subscribes. `types`: every event with its topic and its senders."""
    from shared.events.catalog import TYPES
    from shared.events.routing import subscriptions

    readers = subscriptions()
    topics = {
        topic: {
            "publishers": sorted(
                {name for k in TYPES.values() if k.topic() == topic for name in k.producers}
            ),
            "subscribers": sorted(name for name, wanted in readers.items() if topic in wanted),
        }
        for topic in sorted({kind.topic() for kind in TYPES.values()})
    }
    types = {
        wire: {"topic": kind.topic(), "producers": sorted(kind.producers)}
        for wire, kind in sorted(TYPES.items())
    }
    return _json({"topics": topics, "types": types})


def databases() -> str:
    """`readers`: services that may look in. `indexes`: composite ones. `expiring`: collection -> field of its
    TTL policy; only timestamps can have one, everything else is swept on the tick. `unindexed`: collection ->
    fields that shall have no index of their own."""
    from shared.runtime.profiles import READS
    from shared.store.firestore_changes import CHANGES, EXPIRES
    from shared.store.indexes import composite
    from shared.store.marks import INBOX

    found = {}
    for service, queries in declared().items():
        indexes = sorted({index for query in queries if (index := composite(query)) is not None})
        found[service] = {
            "readers": sorted(name for name, others in READS.items() if service in others),
            "indexes": [
                {
                    "collection": collection,
                    "fields": [{"path": path, "order": order} for path, order in fields],
                }
                for collection, fields in indexes
            ],
            "expiring": {CHANGES: EXPIRES, INBOX: EXPIRES},
            "unindexed": _unindexed(service, queries),
        }
    return _json(found)


def _unindexed(service: str, queries: Sequence[Query]) -> dict[str, list[str]]:
    """Every time that rises: an index of its own would bound how fast its collection may be written to."""
    from shared.store.indexes import unasked
    from shared.store.marks import INBOX

    found = unasked(queries)
    found.setdefault(INBOX, set()).add("at")
    for module in _OWN[service]:
        times = getattr(import_module(f"services.{service}.{module}"), "TIMES", {})
        for collection, fields in times.items():
            found.setdefault(collection, set()).update(fields)
    return {collection: sorted(fields) for collection, fields in sorted(found.items())}


def keys() -> str:
    """`rings`: who wraps and who unwraps with each key. `signers`: who derives keys from which."""
    from shared.runtime.profiles.engines import DERIVES, KEYS

    uses = [(ring, may, name) for name, rings in KEYS.items() for ring, all in rings.items() for may in all]
    rings = {
        ring: {
            may: sorted(name for r, m, name in uses if (r, m) == (ring, may)) for may in ("wrap", "unwrap")
        }
        for ring in sorted({ring for ring, _, _ in uses})
    }
    return _json({"rings": rings, "signers": {key: sorted(names) for key, names in DERIVES.items()}})


def own(service: str) -> tuple[Query, ...]:
    """Every query shape a service declares for its own database, which one machine makes the indexes of."""
    modules = (import_module(f"services.{service}.{module}") for module in _OWN[service])
    return tuple(query for module in modules for query in module.QUERIES)


def declared() -> dict[str, tuple[Query, ...]]:
    """Every query shape by the database it is asked of."""
    from shared.bus.letters import NEWEST
    from shared.bus.workers import DUE
    from shared.store.firestore_changes import QUERIES as NOTES
    from shared.store.firestore_shards import UNSENT

    shapes = {service: [DUE, NEWEST, UNSENT, *NOTES, *own(service)] for service in SERVICES}
    return {service: tuple(queries) for service, queries in shapes.items()}


def _json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
