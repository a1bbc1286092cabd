"""What the store remembers is what the database holds: after every change, for every reader of the process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.clock import SystemClock
from shared.ids import RandomIds
from shared.store.port import Cause, Tx
from shared.store.recent import Recent
from shared.store.sqlite import SqliteDatabases

CAUSE = Cause("wsp_one", "user:one")


@pytest.fixture
def databases(tmp_path: Path) -> Iterator[SqliteDatabases]:
    made = SqliteDatabases(tmp_path, SystemClock(), RandomIds(), alone=True)
    yield made
    made.close()


@pytest.mark.parametrize("reader", ["own", "other service"])
def test_a_reader_sees_the_last_commit_when_it_read_an_earlier_one(
    databases: SqliteDatabases, reader: str
) -> None:
    store = databases.own("gateway")
    reads = store if reader == "own" else databases.read("gateway")

    def then(change: Callable[[Tx], None]) -> object:
        store.transact(change, cause=CAUSE)
        found = reads.get("things", "a")
        return found.data if found else None

    assert then(lambda tx: tx.create("things", "a", {"n": 1})) == {"n": 1}
    assert then(lambda tx: tx.put("things", "a", {"n": 2})) == {"n": 2}
    assert then(lambda tx: tx.delete("things", "a")) is None
    assert then(lambda tx: tx.create("things", "a", {"n": 3})) == {"n": 3}


def test_what_was_written_before_this_process_is_found_and_then_remembered(tmp_path: Path) -> None:
    before = SqliteDatabases(tmp_path, SystemClock(), RandomIds())
    before.own("gateway").transact(lambda tx: tx.put("things", "a", {"n": 1}), cause=CAUSE)
    before.close()
    now = SqliteDatabases(tmp_path, SystemClock(), RandomIds(), alone=True)
    store = now.own("gateway")

    first, second = store.get("things", "a"), store.get("things", "a")
    store.transact(lambda tx: tx.put("things", "a", {"n": 2}), cause=CAUSE)
    third = store.get("things", "a")
    now.close()

    assert first == second
    assert first is not None
    assert third is not None
    assert (first.data, third.data) == ({"n": 1}, {"n": 2})


def test_nobody_sees_what_a_reader_does_with_what_it_got(databases: SqliteDatabases) -> None:
    store = databases.own("gateway")
    store.transact(lambda tx: tx.put("things", "a", {"list": [1]}), cause=CAUSE)
    mine = store.get("things", "a")
    assert mine is not None
    mine.data["list"].append(2)
    again = store.get("things", "a")
    assert again is not None
    assert again.data == {"list": [1]}


def test_a_write_that_lost_its_race_is_not_remembered(databases: SqliteDatabases) -> None:
    store = databases.own("gateway")
    store.transact(lambda tx: tx.put("things", "a", {"n": 1}), cause=CAUSE)
    seen = []

    def late(tx: Tx) -> None:
        found = tx.get("things", "a")
        assert found is not None
        seen.append(found.data["n"])
        if len(seen) == 1:
            store.transact(lambda other: other.put("things", "a", {"n": 2}), cause=CAUSE)
        tx.put("things", "a", {"n": found.data["n"] + 10})

    store.transact(late, cause=CAUSE)
    found = store.get("things", "a")
    assert found is not None
    assert (seen, found.data) == ([1, 2], {"n": 12})


def test_a_read_that_a_commit_has_overtaken_is_not_remembered() -> None:
    recent = Recent()
    asked_at = recent.commits
    recent.wrote({("things", "b"): "{}"}, "2")
    recent.read(("things", "a"), "1", '{"old": true}', asked_at)
    assert recent.find("things", "a") is None
    recent.read(("things", "a"), "1", '{"old": true}', recent.commits)
    assert recent.find("things", "a") is not None


def test_the_oldest_goes_when_there_is_no_room_and_the_largest_never_come() -> None:
    recent = Recent()
    text = '"' + "x" * 90_000 + '"'
    for n in range(40):
        recent.wrote({("things", str(n)): text}, str(n))
    recent.wrote({("things", "huge"): text * 2}, "41")
    kept = [n for n in range(40) if recent.find("things", str(n))]
    assert kept == list(range(40 - len(kept), 40))
    assert 10 < len(kept) < 30
    assert recent.find("things", "huge") is None
