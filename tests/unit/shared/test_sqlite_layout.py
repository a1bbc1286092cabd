"""What lies in a database file: of the first layout, taken over, and of commits too large for one statement."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from shared.bus.port import Received
from shared.bus.sqlite import SqliteBus
from shared.clock import FakeClock, stamp
from shared.errors import Conflict
from shared.events.envelope import Envelope
from shared.ids import SeededIds
from shared.store.port import Cause, Query, Tx, Where
from shared.store.sqlite import SqliteDatabases, SqliteStore
from tests.contract.receiving import eventually

_CAUSE = Cause("ws_1", "user:1")
_FIRST = """
CREATE TABLE docs (
    coll TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (coll, id)) WITHOUT ROWID;
CREATE TABLE outbox (
    n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, envelope TEXT NOT NULL);
CREATE INDEX "only_things__kind__at" ON docs
    (coll, json_extract(body, '$.kind'), json_extract(body, '$.at'), id) WHERE coll = 'things';
"""
_QUERY = Query("things", (Where("kind", "==", "x"),), order_by="at")


def event(n: int) -> Envelope:
    return Envelope(f"evt_{9 - n}", "/services/ledger", "agentbuilder.run.x.v1", "s", "", "ws_1", "a", "", {})


@pytest.fixture
def open_store(tmp_path: Path) -> Iterator[Callable[[], SqliteStore]]:
    opened: list[SqliteDatabases] = []

    def again() -> SqliteStore:
        opened.append(SqliteDatabases(tmp_path, FakeClock(), SeededIds()))
        return opened[-1].own("ledger")

    yield again
    for databases in opened:
        databases.close()


def test_a_file_of_the_first_layout_keeps_its_documents_and_what_was_not_sent_yet(
    tmp_path: Path, open_store: Callable[[], SqliteStore]
) -> None:
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as file, file:
        file.executescript(_FIRST)
        for n in range(3):
            file.execute(
                "INSERT INTO docs VALUES ('things', ?, 7, ?)", (f"t{n}", f'{{"kind":"x","at":{-n}}}')
            )
            file.execute("INSERT INTO outbox (id, envelope) VALUES (?, ?)", (event(n).id, event(n).text()))

    for _ in range(2):  # taken over once, opened again
        store = open_store()
        store.index([_QUERY])
        assert [d.id for d in store.query(_QUERY)] == ["t2", "t1", "t0"]
        assert store.outbox(10) == [event(0), event(1), event(2)]
    store.transact(lambda tx: _rename(tx, "t0"), cause=_CAUSE)
    assert [d.id for d in store.query(_QUERY)] == ["t2", "t1"]


def _rename(tx: Tx, id: str) -> None:
    found = tx.get("things", id)
    assert found is not None
    tx.put("things", id, {**found.data, "kind": "y"})


def test_a_commit_of_many_documents_writes_none_when_the_last_of_them_is_there_already(
    open_store: Callable[[], SqliteStore],
) -> None:
    store = open_store()
    ids = [f"t{n:04}" for n in range(1000)]
    store.transact(lambda tx: tx.create("things", ids[-1], {"first": True}), cause=_CAUSE)

    def create_all(tx: Tx) -> None:
        for id in ids:
            tx.create("things", id, {"first": False})

    with pytest.raises(Conflict):
        store.transact(create_all, cause=_CAUSE)
    assert [(d.id, d.data) for d in store.query(Query("things", limit=2000))] == [(ids[-1], {"first": True})]

    store.transact(lambda tx: tx.delete("things", ids[-1]), cause=_CAUSE)
    store.transact(create_all, cause=_CAUSE)
    assert len(store.query(Query("things", limit=2000))) == len(ids)


def test_what_waited_for_its_next_delivery_in_a_log_of_the_first_layout_is_delivered(tmp_path: Path) -> None:
    clock, arrived = FakeClock(), list[str]()
    answers = iter([Received("retry", "not yet")])
    with closing(sqlite3.connect(tmp_path / "bus.db")) as file, file:
        file.execute(
            "CREATE TABLE retries (n INTEGER PRIMARY KEY AUTOINCREMENT, service TEXT NOT NULL, due_at TEXT NOT NULL, "
            "first_at TEXT NOT NULL, tries INTEGER NOT NULL, envelope TEXT NOT NULL)"
        )
        now = stamp(clock.now())
        file.execute(
            "INSERT INTO retries (service, due_at, first_at, tries, envelope) VALUES ('ledger', ?, ?, 2, ?)",
            (now, now, event(1).text()),
        )

    def receive(envelope: Envelope) -> Received:
        arrived.append(envelope.id)
        return next(answers, Received("ack"))

    def came_twice() -> bool:
        clock.advance(minutes=1)  # past every pause
        return arrived == [event(1).id] * 2

    for _ in range(2):  # taken over once, opened again
        bus = SqliteBus(tmp_path / "bus.db", clock, SeededIds())
        bus.subscribe("ledger", ["run"], receive)
        bus.start()
        assert eventually(came_twice)
        bus.stop()
