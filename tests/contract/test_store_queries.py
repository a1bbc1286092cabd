"""What shared/store/port.py promises about queries, on every adapter."""

from __future__ import annotations

from typing import Any

import pytest

from shared.store.port import MAX_IN, Databases, Query, Store, Tx, Where
from tests.contract.adapters import CAUSE


@pytest.fixture
def store(databases: Databases) -> Store:
    return databases.own("ledger")


def fill(store: Store, documents: dict[str, dict[str, Any]], collection: str = "things") -> None:
    def write(tx: Tx) -> None:
        for id, data in documents.items():
            tx.put(collection, id, data)

    store.transact(write, cause=CAUSE)


def ids(store: Store, query: Query) -> list[str]:
    return [document.id for document in store.query(query)]


PEOPLE: dict[str, dict[str, Any]] = {
    "a": {"n": 3, "s": "나", "on": True, "x": 1.5},
    "b": {"n": 1, "s": "가", "on": False, "x": None},
    "c": {"n": 2, "s": "가", "on": True},
    "d": {"n": 2, "s": "다", "on": None, "x": 2},
}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query("things"), "abcd"),
        (Query("things", limit=2), "ab"),
        (Query("things", (Where("n", "==", 2),)), "cd"),
        (Query("things", (Where("n", "==", 2.0),)), "cd"),
        (Query("things", (Where("n", "==", 9),)), ""),
        (Query("things", (Where("s", "==", "가"), Where("n", "==", 1))), "b"),
        (Query("things", (Where("on", "==", True),)), "ac"),
        (Query("things", (Where("on", "==", False),)), "b"),
        (Query("things", (Where("on", "==", None),)), "d"),
        (Query("things", (Where("x", "==", None),)), "b"),
        (Query("things", (Where("n", "<", 2),), order_by="n"), "b"),
        (Query("things", (Where("n", "<=", 2),), order_by="n"), "bcd"),
        (Query("things", (Where("n", ">", 1), Where("n", "<", 3)), order_by="n"), "cd"),
        (Query("things", (Where("n", ">=", 2),), order_by="n", descending=True), "adc"),
        (Query("things", (Where("s", ">", "가"),), order_by="s"), "ad"),
        (Query("things", (Where("x", ">", 1),), order_by="x"), "ad"),
        (Query("things", (Where("x", "<", 9),), order_by="x"), "ad"),
        (Query("things", (Where("n", "in", [1, 3]),)), "ab"),
        (Query("things", (Where("n", "in", []),)), ""),
        (Query("things", (Where("n", "in", [2, 2, 3]),)), "acd"),
        (Query("things", (Where("n", "in", [1, 2]),), order_by="n", limit=2), "bc"),
        (Query("things", (Where("s", "in", ["나", "가"]),), order_by="n", descending=True), "acb"),
        (Query("things", (Where("s", "in", ["나", "가"]),), order_by="n", after=(2, "c")), "a"),
        (Query("things", (Where("s", "in", ["가", "다"]), Where("on", "==", True)), order_by="n"), "c"),
        (Query("things", (Where("on", "==", True),), order_by="n"), "ca"),
        (Query("things", (Where("s", "==", "가"), Where("n", ">=", 2)), order_by="n"), "c"),
        (Query("things", order_by="n"), "bcda"),
        (Query("things", order_by="n", descending=True), "adcb"),
        (Query("things", order_by="s"), "bcad"),
        (Query("things", order_by="x"), "ad"),
        (Query("things", order_by="nowhere"), ""),
        (Query("elsewhere", order_by="n"), ""),
    ],
    ids=str,
)
def test_a_query_finds_exactly_its_documents_in_order(store: Store, query: Query, expected: str) -> None:
    fill(store, PEOPLE)
    fill(store, {"z": {"n": 2, "s": "가", "on": True}}, collection="others")
    assert "".join(ids(store, query)) == expected


def test_a_query_finds_nothing_when_the_database_is_new(databases: Databases) -> None:
    assert databases.read("gateway").query(Query("things", (Where("n", "==", 1),), order_by="n")) == []


def test_a_query_brings_whole_documents_with_their_versions(store: Store) -> None:
    fill(store, {"a": {"n": 1, "nested": {"list": [1, [2]]}}})
    assert store.query(Query("things", order_by="n")) == [store.get("things", "a")]


def test_a_query_inside_a_commit_sees_the_last_committed_state(store: Store) -> None:
    fill(store, {"a": {"n": 1}})

    def work(tx: Tx) -> list[str]:
        tx.put("things", "b", {"n": 2})
        return [d.id for d in tx.query(Query("things", order_by="n"))]

    assert store.transact(work, cause=CAUSE) == ["a"]


def test_a_document_leaves_the_query_when_it_no_longer_matches(store: Store) -> None:
    fill(store, {"a": {"state": "ready"}, "b": {"state": "ready"}})
    fill(store, {"a": {"state": "taken"}})
    store.transact(lambda tx: tx.delete("things", "b"), cause=CAUSE)
    assert ids(store, Query("things", (Where("state", "==", "ready"),))) == []


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("page", [1, 2, 5, 100])
@pytest.mark.parametrize("kinds", [["x"], ["x", "z"]])
def test_pages_have_no_gaps_and_no_repeats_when_order_values_are_equal(
    store: Store, kinds: list[str], descending: bool, page: int
) -> None:
    fill(
        store,
        {f"d{n:02}": {"at": f"t{n // 7}", "kind": kinds[n % len(kinds)]} for n in range(17)}
        | {"other": {"at": "t1", "kind": "y"}},
    )
    expected = sorted((f"t{n // 7}", f"d{n:02}") for n in range(17))
    if descending:
        expected.reverse()
    found: list[tuple[str, str]] = []
    after: tuple[Any, str] | None = None
    while True:
        one = Where("kind", "==", kinds[0]) if len(kinds) == 1 else Where("kind", "in", kinds)
        query = Query("things", (one,), "at", descending, page, after)
        documents = store.query(query)
        found += [(d.data["at"], d.id) for d in documents]
        if len(documents) < page:
            break
        after = found[-1]
    assert found == expected


def test_pages_by_id_have_no_gaps_when_there_is_no_order_field(store: Store) -> None:
    fill(store, {f"d{n}": {} for n in range(5)})
    first = ids(store, Query("things", limit=3))
    second = ids(store, Query("things", limit=3, after=(None, first[-1])))
    assert first + second == [f"d{n}" for n in range(5)]


def test_texts_are_ordered_by_their_bytes_when_scripts_mix(store: Store) -> None:
    words = ["Z", "a", "é", "가", "힣", "\uffee", "😀", "1", "10", "2", ""]
    fill(store, {str(n): {"w": word} for n, word in enumerate(words)})
    found = [d.data["w"] for d in store.query(Query("things", order_by="w"))]
    assert found == sorted(words, key=lambda word: word.encode())


def test_numbers_are_ordered_as_numbers_when_whole_and_broken_mix(store: Store) -> None:
    numbers = [10, 9.5, -1, 0, 2**53, 1e-3]
    fill(store, {str(n): {"v": number} for n, number in enumerate(numbers)})
    assert [d.data["v"] for d in store.query(Query("things", order_by="v"))] == sorted(numbers)


def test_a_query_is_refused_when_its_order_does_not_fit_its_conditions() -> None:
    with pytest.raises(ValueError, match="order_by"):
        Query("things", (Where("n", ">", 1),))
    with pytest.raises(ValueError, match="order_by"):
        Query("things", (Where("n", ">", 1),), order_by="at")
    with pytest.raises(ValueError, match="order_by"):
        Query("things", descending=True)


def test_a_query_is_refused_when_it_asks_for_more_values_than_any_engine_takes() -> None:
    Where("n", "in", list(range(MAX_IN)))
    with pytest.raises(ValueError, match=str(MAX_IN)):
        Where("n", "in", list(range(MAX_IN + 1)))


def test_as_many_values_as_allowed_are_all_looked_for(store: Store) -> None:
    fill(store, {f"{n:02}": {"n": n} for n in range(MAX_IN + 2)})
    assert len(ids(store, Query("things", (Where("n", "in", list(range(MAX_IN))),)))) == MAX_IN
