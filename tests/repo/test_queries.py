"""Every query in the code is declared, so that Firestore has its index. Nothing else would notice: SQLite
answers without one, and the emulator never asks for one."""

from __future__ import annotations

from scripts.cloud import declared
from shared.store.indexes import Index, composite
from shared.store.port import Query, Where
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


def test_single_fields_have_an_index_already() -> None:
    assert composite(Query("c", (Where("at", "<", 1),), order_by="at")) is None
    assert composite(Query("c", order_by="at", descending=True)) is None
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
