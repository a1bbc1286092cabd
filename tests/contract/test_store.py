"""What shared/store/port.py promises about commits and documents, on every adapter."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from shared.clock import FakeClock, SystemClock, stamp
from shared.errors import Conflict, TooLarge
from shared.events.clock import TimeTicked
from shared.store.firestore_changes import EXPIRES
from shared.store.marks import INBOX, KEEP_MARKS
from shared.store.port import MAX_DOCUMENT_BYTES, Cause, Databases, Store, Tx
from tests.contract.adapters import CAUSE, StoreKind


@pytest.fixture
def store(databases: Databases) -> Store:
    return databases.own("ledger")


def commit(store: Store, function: Callable[[Tx], None]) -> None:
    store.transact(function, cause=CAUSE)


def put(store: Store, collection: str, id: str, data: dict[str, Any]) -> None:
    commit(store, lambda tx: tx.put(collection, id, data))


def emit(tx: Tx, *moments: str) -> None:
    for at in moments:
        tx.emit(TimeTicked(at=at))


def test_a_document_is_not_there_when_nobody_wrote_it(store: Store) -> None:
    assert store.get("things", "a") is None


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        -1,
        2**53 + 1,
        -(2**63),
        2**80,
        1.0,
        0.1,
        -1e-9,
        "",
        "값 😀 é\x00\n",
        "x" * 2000,
        [],
        {},
        [1, [2, [3, []]], {"a": [None, True]}],
        {"": 1, "a.b": 2, "__name__": 3, "한글 키": {"깊이": [{"x": None}]}},
    ],
    ids=lambda value: repr(value)[:24].encode("ascii", "replace").decode(),
)
def test_a_value_comes_back_as_it_went_when_stored(store: Store, value: object) -> None:
    put(store, "things", "a", {"value": value})
    found = store.get("things", "a")
    assert found is not None
    assert found.data == {"value": value}
    assert type(found.data["value"]) is type(value)


def test_deep_nesting_comes_back_when_deeper_than_any_engine_nests(store: Store) -> None:
    deep: Any = "bottom"
    for _ in range(40):
        deep = {"in": [deep]}
    put(store, "things", "a", {"value": deep})
    found = store.get("things", "a")
    assert found is not None
    assert found.data == {"value": deep}


@pytest.mark.parametrize("id", ["a/b", "%2F", ".", "..", "__x__", "한글 id", "a" * 400, "%a", "a~b"])
def test_an_id_names_its_own_document_when_it_is_unusual(store: Store, id: str) -> None:
    put(store, "things", id, {"id": id})
    put(store, "things", "plain", {"id": "plain"})
    found = store.get("things", id)
    assert found is not None
    assert (found.id, found.data) == (id, {"id": id})


def test_an_empty_document_exists_when_put_over_a_full_one(store: Store) -> None:
    put(store, "things", "a", {"n": 1})
    put(store, "things", "a", {})

    def again(tx: Tx) -> None:
        tx.get("things", "a")
        tx.put("things", "a", {})

    commit(store, again)
    found = store.get("things", "a")
    assert found is not None
    assert found.data == {}


def test_a_put_replaces_the_whole_document_when_it_was_read_first(store: Store) -> None:
    put(store, "things", "a", {"old": 1, "kept": 1})

    def change(tx: Tx) -> None:
        tx.get("things", "a")
        tx.put("things", "a", {"kept": 2, "new": [1]})

    commit(store, change)
    found = store.get("things", "a")
    assert found is not None
    assert found.data == {"kept": 2, "new": [1]}


def test_a_large_document_comes_back_when_just_under_the_limit(store: Store) -> None:
    text = "가" * 300_000  # 900 KB in UTF-8
    put(store, "things", "a", {"text": text, "list": [text[:10_000]]})
    found = store.get("things", "a")
    assert found is not None
    assert found.data["text"] == text


def test_a_document_is_refused_when_over_the_limit(store: Store) -> None:
    with pytest.raises(TooLarge):
        put(store, "things", "a", {"text": "x" * (MAX_DOCUMENT_BYTES + 1)})
    assert store.get("things", "a") is None


def test_the_version_changes_with_every_change_and_only_then(store: Store) -> None:
    versions = []
    for n in (1, 2, 1):
        put(store, "things", "a", {"n": n})
        for _ in range(2):
            found = store.get("things", "a")
            assert found is not None
            versions.append(found.version)
    assert versions[0::2] == versions[1::2]
    assert len(set(versions)) == 3


def test_a_version_is_never_used_again_when_a_document_is_made_anew(store: Store) -> None:
    seen = set()
    for _ in range(3):
        put(store, "things", "a", {})
        found = store.get("things", "a")
        assert found is not None
        seen.add(found.version)
        commit(store, lambda tx: tx.delete("things", "a"))
    assert len(seen) == 3


def test_a_document_is_gone_when_deleted_and_deleting_again_is_no_error(store: Store) -> None:
    put(store, "things", "a", {})
    for _ in range(2):
        commit(store, lambda tx: tx.delete("things", "a"))
    assert store.get("things", "a") is None


def test_deleting_what_was_read_as_missing_is_no_error(store: Store) -> None:
    def remove(tx: Tx) -> None:
        assert tx.get("things", "a") is None
        tx.delete("things", "a")

    commit(store, remove)
    assert store.get("things", "a") is None


def test_create_conflicts_and_changes_nothing_when_the_document_exists(store: Store) -> None:
    put(store, "things", "a", {"n": 1})

    def again(tx: Tx) -> None:
        tx.create("things", "a", {"n": 2})
        tx.put("things", "b", {})
        tx.emit(TimeTicked(at="x"))

    with pytest.raises(Conflict):
        commit(store, again)
    found = store.get("things", "a")
    assert found is not None
    assert found.data == {"n": 1}
    assert store.get("things", "b") is None
    assert store.outbox(10) == []


def test_one_thread_wins_when_eight_create_the_same_document(store: Store) -> None:
    start = threading.Barrier(8)

    def create(n: int) -> bool:
        start.wait(30)
        try:
            commit(store, lambda tx: tx.create("things", "a", {"winner": n}))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(create, range(8)))
    found = store.get("things", "a")
    assert found is not None
    assert [n for n, yes in enumerate(won) if yes] == [found.data["winner"]]


def test_no_increment_is_lost_when_eight_threads_make_ten_each(store: Store) -> None:
    runs = []

    def increment(tx: Tx) -> None:
        runs.append(1)
        found = tx.get("counters", "c")
        tx.put("counters", "c", {"n": (found.data["n"] if found else 0) + 1})

    def ten() -> None:
        for _ in range(10):
            commit(store, increment)

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(ten) for _ in range(8)]:
            done.result()
    found = store.get("counters", "c")
    assert found is not None
    assert found.data == {"n": 80}
    assert 80 <= len(runs) <= 160, "half of all tries in vain is a storm"


def test_a_row_of_numbers_has_no_gap_and_nobody_is_refused_when_eight_threads_add_to_it(
    stores: StoreKind,
) -> None:
    """Who lost a race makes a document that is there already: that is no reason to give up soon. Two processes."""
    both = [stores.open(SystemClock()).own("ledger") for _ in range(2)]

    def add(tx: Tx) -> None:
        found = tx.get("counters", "c")
        number = found.data["n"] + 1 if found else 1
        tx.create("lines", str(number), {})
        tx.put("counters", "c", {"n": number})

    def ten(store: Store) -> None:
        for _ in range(10):
            commit(store, add)

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(ten, both[number % 2]) for number in range(8)]:
            done.result()
    found = both[0].get("counters", "c")
    assert found is not None
    assert found.data == {"n": 80}
    assert all(both[1].get("lines", str(number)) for number in range(1, 81))


def test_one_conflict_is_nobody_elses_when_all_write_one_counter(store: Store) -> None:
    """The duplicate of an event is refused for the mark it would make; those beside it are new."""
    put(store, "marks", "0-3", {})

    def add(round: int, writer: int) -> bool:
        def work(tx: Tx) -> None:
            found = tx.get("counters", "c")
            tx.put("counters", "c", {"n": (found.data["n"] if found else 0) + 1})
            tx.create("marks", f"{round}-{writer}", {})
            tx.emit(TimeTicked(at=f"{round}-{writer}"))

        try:
            commit(store, work)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        asked = [(round, writer) for round in range(3) for writer in range(8)]
        done = {place: pool.submit(add, *place) for place in asked}
        refused = [place for place, added in done.items() if not added.result()]
    found = store.get("counters", "c")
    assert refused == [(0, 3)]
    assert found is not None
    assert found.data == {"n": 23}
    assert len(store.outbox(100)) == 23


@pytest.mark.parametrize("change", ["put", "delete", "create"])
def test_the_function_runs_again_when_what_it_read_has_changed(store: Store, change: str) -> None:
    if change != "create":
        put(store, "things", "a", {"n": 1})
    seen = []

    def interfere() -> None:
        if change == "delete":
            commit(store, lambda tx: tx.delete("things", "a"))
        else:
            put(store, "things", "a", {"n": 2})

    def work(tx: Tx) -> None:
        found = tx.get("things", "a")
        seen.append(found.data["n"] if found else None)
        if len(seen) == 1:
            interfere()
        tx.put("things", "a", {"n": 3, "saw": seen[-1]})

    commit(store, work)
    first = None if change == "create" else 1
    second = None if change == "delete" else 2
    assert seen == [first, second]
    found = store.get("things", "a")
    assert found is not None
    assert found.data == {"n": 3, "saw": second}


def test_a_delete_is_withdrawn_when_the_document_changed_after_it_was_read(store: Store) -> None:
    put(store, "things", "a", {"n": 1})
    seen = []

    def remove_if_one(tx: Tx) -> None:
        found = tx.get("things", "a")
        assert found is not None
        seen.append(found.data["n"])
        if len(seen) == 1:
            put(store, "things", "a", {"n": 2})
        if found.data["n"] == 1:
            tx.delete("things", "a")

    commit(store, remove_if_one)
    assert seen == [1, 2]
    assert store.get("things", "a") is not None


def test_conflict_is_raised_when_the_race_is_lost_every_time(stores: StoreKind) -> None:
    store = stores.open(FakeClock()).own("ledger")  # its waits return at once
    other = stores.open(FakeClock()).own("ledger")

    def always_late(tx: Tx) -> None:
        found = tx.get("things", "a")
        put(other, "things", "a", {"n": (found.data["n"] if found else 0) + 1})
        tx.put("things", "a", {"n": -1})

    with pytest.raises(Conflict):
        commit(store, always_late)
    found = store.get("things", "a")
    assert found is not None
    assert found.data["n"] > 0


def test_nothing_is_committed_when_the_function_raises(store: Store) -> None:
    def fail(tx: Tx) -> None:
        tx.put("things", "a", {})
        tx.emit(TimeTicked(at="x"))
        raise LookupError("on purpose")

    with pytest.raises(LookupError):
        commit(store, fail)
    assert store.get("things", "a") is None
    assert store.outbox(10) == []


def test_reads_see_the_last_commit_and_not_this_commits_own_writes(store: Store) -> None:
    put(store, "things", "a", {"n": 1})
    seen = []

    def work(tx: Tx) -> None:
        tx.put("things", "a", {"n": 2})
        found = tx.get("things", "a")
        seen.append(found.data["n"] if found else None)

    commit(store, work)
    assert seen == [1]


def test_transact_returns_what_the_function_returned(store: Store) -> None:
    assert store.transact(lambda tx: tx.get("things", "a") is None, cause=CAUSE) is True


def test_events_carry_the_cause_and_the_service_when_emitted(store: Store) -> None:
    ids = []

    def work(tx: Tx) -> None:
        ids.append(tx.emit(TimeTicked(at="one")))
        ids.append(tx.emit(TimeTicked(at="two"), cause=Cause("ws_2", "agent:a1")))

    commit(store, work)
    first, second = store.outbox(10)
    assert [first.id, second.id] == ids
    assert len(set(ids)) == 2
    assert (first.source, first.type, first.subject) == (
        "/services/ledger",
        "agentbuilder.clock.time_ticked.v1",
        "one",
    )
    assert (first.workspace_id, first.actor, first.traceparent) == (
        CAUSE.workspace_id,
        CAUSE.actor,
        CAUSE.traceparent,
    )
    assert (second.workspace_id, second.actor, second.traceparent) == ("ws_2", "agent:a1", "")
    assert first.data == {"at": "one"}


def test_the_outbox_is_in_commit_order_when_read_in_parts(store: Store) -> None:
    for n in range(6):
        commit(store, lambda tx: emit(tx, *(f"{n}.{part}" for part in range(12))))  # noqa: B023 (run at once)
    expected = [f"{n}.{part}" for n in range(6) for part in range(12)]
    assert [e.data["at"] for e in store.outbox(100)] == expected
    assert [e.data["at"] for e in store.outbox(17)] == expected[:17]
    store.mark_sent([e.id for e in store.outbox(17)])
    assert [e.data["at"] for e in store.outbox(100)] == expected[17:]


def test_marking_sent_is_idempotent_and_takes_unknown_ids(store: Store) -> None:
    commit(store, lambda tx: emit(tx, "x"))
    sent = [e.id for e in store.outbox(10)]
    for ids in (sent, sent, ["evt_unknown"], []):
        store.mark_sent(ids)
    assert store.outbox(10) == []


def test_databases_are_apart_when_two_services_write_the_same_id(databases: Databases) -> None:
    put(databases.own("ledger"), "things", "a", {"of": "ledger"})
    put(databases.own("gateway"), "things", "a", {"of": "gateway"})
    found = databases.own("ledger").get("things", "a")
    assert found is not None
    assert found.data == {"of": "ledger"}


def test_a_reader_sees_what_was_committed_and_offers_no_way_to_write(databases: Databases) -> None:
    reader = databases.read("ledger")
    assert reader.get("things", "a") is None
    put(databases.own("ledger"), "things", "a", {"n": 1})
    found = reader.get("things", "a")
    assert found is not None
    assert found.data == {"n": 1}
    for way in ("transact", "put", "create", "delete", "mark_sent"):
        assert not hasattr(reader, way)


def test_a_mark_stays_while_an_event_may_come_again(stores: StoreKind) -> None:
    clock = FakeClock()
    store = stores.open(clock).own("ledger")
    put(store, INBOX, "seen_1", {"at": stamp(clock.now())})
    clock.set(clock.now() + KEEP_MARKS - timedelta(minutes=1))
    store.forget_marks()
    assert store.get(INBOX, "seen_1") is not None


def test_old_marks_go_by_themselves_or_when_told(stores: StoreKind) -> None:
    clock = FakeClock()
    store = stores.open(clock).own("ledger")
    put(store, INBOX, "seen_1", {"at": stamp(clock.now())})
    put(store, "things", "a", {"at": stamp(clock.now())})
    clock.set(clock.now() + KEEP_MARKS + timedelta(minutes=1))
    store.forget_marks()
    store.forget_marks()
    mark, thing = store.get(INBOX, "seen_1"), store.get("things", "a")
    # The emulator deletes nothing by itself, but says what Firestore would.
    assert mark is None or mark.data[EXPIRES] < clock.now()
    assert thing is not None
    assert EXPIRES not in thing.data
