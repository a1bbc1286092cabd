"""Every query in the code is declared, so that Firestore has its index, and by the owner of the database, so that
SQLite has it. Nothing else would notice: SQLite answers without one, and the emulator never asks for one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from scripts.cloud import SERVICES, databases, declared, own
from shared.bus.letters import NEWEST
from shared.bus.workers import DUE
from shared.clock import FakeClock
from shared.ids import SeededIds
from shared.store.firestore_changes import CHANGES
from shared.store.firestore_shards import OUTBOX
from shared.store.indexes import Index, composite
from shared.store.port import Query, Where
from shared.store.sqlite import SqliteDatabases
from shared.store.sqlite_reader import query_all
from tests.repo.queries import GENERIC, asked
from tests.repo.tree import Source, under


def existing() -> set[Index]:
    made = (composite(query) for queries in declared().values() for query in queries)
    return {index for index in made if index is not None}


def test_every_query_in_the_code_has_its_index() -> None:
    have = existing()
    missing = [
        f"{one.where} {needed}"
        for source in under("services", "shared")
        if source.name not in GENERIC
        for one in asked(source)
        if one.query is not None and (needed := composite(one.query)) is not None and needed not in have
    ]

    assert missing == []


def test_every_query_outside_the_generic_ones_can_be_read() -> None:
    unread = [
        one.where
        for source in under("services")
        if source.name not in GENERIC
        for one in asked(source)
        if one.query is None
    ]

    assert unread == []


class Explained(sqlite3.Connection):
    """plan: how SQLite goes about what was asked last."""

    plan: tuple[str, ...] = ()

    def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
        self.plan = tuple(row[3] for row in super().execute(f"EXPLAIN QUERY PLAN {sql}", parameters))
        return super().execute(sql, parameters)


def slow(file: Path, queries: Sequence[Query]) -> list[str]:
    """Those for which SQLite reads more than it returns: an index serves only some of the conditions, or none the
    order, and every document that the others left is parsed."""
    found = []
    with closing(sqlite3.connect(file, factory=Explained)) as connection:
        for query in queries:
            query_all(connection, query)
            plan = " / ".join(
                step for step in connection.plan if step.startswith(("SEARCH", "SCAN docs", "USE"))
            )
            equal = {where.field for where in query.where if where.op in ("==", "in")} - {query.order_by}
            if plan.count("=?") != len(equal) + 1 or "TEMP B-TREE" in plan:
                found.append(f"{query.collection} {[where.field for where in query.where]}: {plan}")
    return found


def one_machine(service: str, folder: Path, queries: Sequence[Query]) -> Path:
    databases = SqliteDatabases(folder, FakeClock(), SeededIds())
    databases.own(service).index(queries)
    databases.close()
    return folder / f"{service}.db"


@pytest.mark.parametrize("service", SERVICES)
def test_sqlite_reads_only_what_a_query_finds_whoever_asks(service: str, tmp_path: Path) -> None:
    file = one_machine(service, tmp_path, (*own(service), DUE))
    elsewhere = (CHANGES, OUTBOX, NEWEST.collection)  # of Firestore alone, and letters, which are few

    assert slow(file, [one for one in declared()[service] if one.collection not in elsewhere]) == []


def test_a_query_is_slow_when_an_index_serves_only_one_of_its_conditions(tmp_path: Path) -> None:
    by_sea, by_owner = (Query("boats", (Where(name, "==", ""),), order_by="at") for name in ("sea", "owner"))
    both = Query("boats", (*by_sea.where, *by_owner.where), order_by="at")
    file = one_machine("ledger", tmp_path, (by_sea, by_owner))

    assert slow(file, [by_sea, by_owner]) == []
    assert len(slow(file, [both, Query("boats", by_sea.where, order_by="length")])) == 2


def test_conditions_come_first_and_the_order_last_in_its_direction() -> None:
    equal, other = Where("b", "==", 1), Where("a", "in", [1])

    assert composite(Query("c", (equal, other), order_by="at", descending=True)) == (
        "c",
        (("a", "ASCENDING"), ("b", "ASCENDING"), ("at", "DESCENDING")),
    )
    assert composite(Query("c", (equal, Where("at", "<", 1)), order_by="at")) == (
        "c",
        (("b", "ASCENDING"), ("at", "ASCENDING")),
    )


def test_what_is_asked_for_by_one_field_alone_is_asked_by_shard() -> None:
    assert composite(Query("c", (Where("at", "<", 1),), order_by="at")) == (
        "c",
        (("_shard", "ASCENDING"), ("at", "ASCENDING")),
    )
    assert composite(Query("c", order_by="at", descending=True)) == (
        "c",
        (("_shard", "ASCENDING"), ("at", "DESCENDING")),
    )


def test_an_index_begins_with_a_rising_value_nowhere() -> None:
    """Each of these is written at least once a run, with the time it was written."""
    said = json.loads(databases())
    rising = {
        "executor": (
            ("_inbox", "at"),
            ("runs", "requested_at"),
            ("runs", "finished_at"),
            ("run_entries", "at"),
        ),
        "gateway": (("changes", "at"), ("deliveries", "settled_at"), ("idempotency", "at")),
        "ledger": (("usage", "at"), ("leases", "expires_at")),
        "scheduler": (
            ("slots", "at"),
            ("slots", "settled_at"),
            ("schedules", "next_at"),
            ("_claims", "due_at"),
        ),
    }
    alone = [
        (service, collection, field)
        for service, times in rising.items()
        for collection, field in times
        if field not in said[service]["unindexed"][collection]
    ]
    first = [
        index
        for one in said.values()
        for index in one["indexes"]
        if index["fields"][0]["path"].endswith("at")
    ]

    assert (alone, first) == ([], [])


def test_several_fields_that_are_equal_need_no_index_of_their_own() -> None:
    assert composite(Query("c", (Where("a", "==", 1), Where("b", "==", 1)))) is None
    assert composite(Query("c", (Where("a", "==", 1),), order_by="a")) is None


def test_a_query_nobody_declared_is_found() -> None:
    text = (
        "def f(reader, scope):\n"
        "    where = (Where('owner', '==', 1), Where('kind', 'in', []))\n"
        "    reader.query(Query('boats', where, order_by='at', descending=True))\n"
        "    scope.all(reader, 'boats', Boat, Where('sea', '==', 1), order_by='at')\n"
        "    reader.query(Query(unknown(), order_by='at'))\n"
    )

    found = [one.query for one in asked(Source("shared/clock.py", text))]

    assert found == [
        Query("boats", (Where("owner", "==", []), Where("kind", "in", [])), "at", True),
        Query("boats", (Where("workspace_id", "==", ""), Where("sea", "==", [])), "at", True),
        None,
    ]
    assert all(composite(query) not in existing() for query in found if query is not None)
