"""Wake-ups: on every change, from whichever thread, object or process it came; none lost."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.clock import SystemClock
from shared.events.clock import TimeTicked
from shared.store.port import Databases, Store, Tx, Watch
from shared.store.signal import Signal
from tests.contract.adapters import CAUSE, EMBEDDED, StoreKind

LONG_S = 20.0


@pytest.fixture
def store(databases: Databases) -> Store:
    return databases.own("ledger")


@pytest.fixture
def watch(store: Store) -> Iterator[Watch]:
    watch = store.watch(["things"])
    quiet(watch)
    yield watch
    watch.close()


def quiet(watch: Watch) -> None:
    """Spurious wake-ups are allowed: take them first, so that the next one means something."""
    while watch.wait(0.3):
        pass


def put(store: Store, collection: str, id: str, n: int = 1) -> None:
    store.transact(lambda tx: tx.put(collection, id, {"n": n}), cause=CAUSE)


def test_a_watch_wakes_when_a_document_is_put_changed_or_deleted(store: Store, watch: Watch) -> None:
    changes: tuple[Callable[[], None], ...] = (
        lambda: put(store, "things", "a"),
        lambda: put(store, "things", "a", 2),
        lambda: store.transact(lambda tx: tx.delete("things", "a"), cause=CAUSE),
    )
    for change in changes:
        change()
        assert watch.wait(LONG_S)
        quiet(watch)


def test_a_watch_wakes_when_the_change_came_before_the_wait(store: Store, watch: Watch) -> None:
    put(store, "things", "a")
    assert watch.wait(LONG_S)


def test_a_watch_wakes_while_waiting_when_another_thread_commits(store: Store, watch: Watch) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(watch.wait, LONG_S)
        put(store, "things", "a")
        assert waiting.result(LONG_S * 2)


def test_a_watch_stays_asleep_when_another_collection_or_nothing_changed(store: Store, watch: Watch) -> None:
    put(store, "others", "a")
    with pytest.raises(LookupError):
        store.transact(_fail, cause=CAUSE)
    assert not watch.wait(0.3)


def _fail(tx: Tx) -> None:
    tx.put("things", "a", {})
    raise LookupError("on purpose")


def test_every_watch_wakes_when_several_watch_the_same(store: Store) -> None:
    watches = [store.watch(["things"]), store.watch(["other", "things"]), store.watch(["things"])]
    for watch in watches:
        quiet(watch)
    put(store, "things", "a")
    assert [watch.wait(LONG_S) for watch in watches] == [True, True, True]
    watches[0].close()
    put(store, "things", "a", 2)
    assert watches[2].wait(LONG_S)
    for watch in watches:
        watch.close()


def test_a_watch_of_one_document_wakes_when_that_one_changes(store: Store) -> None:
    watch = store.watch(["things/run_1", "other"])
    quiet(watch)
    for id in ("run_1", "run_1-00000001"):
        put(store, "things", id)
        assert watch.wait(LONG_S)
        quiet(watch)
    watch.close()


def test_the_outbox_can_be_watched_by_its_own_process(store: Store) -> None:
    watch = store.watch(["_outbox"])
    quiet(watch)
    store.transact(lambda tx: tx.emit(TimeTicked(at="x")), cause=CAUSE)
    assert watch.wait(LONG_S)
    watch.close()


def test_ones_own_database_wakes_when_another_process_commits(stores: StoreKind, store: Store) -> None:
    watch = store.watch(["things"], elsewhere=True)
    quiet(watch)
    put(store, "things", "a")
    assert watch.wait(LONG_S)
    quiet(watch)
    subprocess.run(stores.command("one", "things", "b"), check=True, timeout=60)
    assert watch.wait(LONG_S)
    watch.close()


def test_a_database_that_is_only_read_wakes_when_its_owner_commits(stores: StoreKind) -> None:
    owner = stores.open(SystemClock()).own("ledger")
    watch = stores.open(SystemClock()).watch("ledger", ["things"])
    quiet(watch)
    for n in range(3):
        put(owner, "things", "a", n)
        assert watch.wait(LONG_S)
        quiet(watch)
    watch.close()


def test_a_database_that_is_only_read_wakes_when_another_process_makes_it(stores: StoreKind) -> None:
    watch = stores.open(SystemClock()).watch("ledger", ["things"])
    quiet(watch)
    subprocess.run(stores.command("one", "things", "a"), check=True, timeout=60)
    assert watch.wait(LONG_S)
    watch.close()


def test_a_watch_wakes_when_it_is_waited_for_in_another_thread_than_it_was_made_in(stores: StoreKind) -> None:
    owner = stores.open(SystemClock()).own("ledger")
    put(owner, "things", "a", 0)
    watch = stores.open(SystemClock()).watch("ledger", ["things"])
    quiet(watch)
    put(owner, "things", "a", 1)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(watch.wait, LONG_S).result(LONG_S * 2)
    watch.close()


def test_no_wake_up_is_lost_when_waits_end_at_the_moment_of_the_change(stores: StoreKind) -> None:
    """The reader looks at the document only when woken; the writer goes on only when it has been seen."""
    store = stores.open(SystemClock()).own("ledger")
    watch = store.watch(["things"])

    def look() -> int:
        found = store.get("things", "a")
        return found.data["n"] if found else 0

    rounds = 300 if stores.name == EMBEDDED else 60
    _race(lambda n: put(store, "things", "a", n), lambda: watch.wait(0.0005), look, rounds)
    watch.close()


def test_no_wake_up_is_lost_when_the_signal_alone_is_raced() -> None:
    signal = Signal(SystemClock())
    watch = signal.watch(["things"])
    written = [0]

    def write(n: int) -> None:
        written[0] = n
        signal.notify({"things"})

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        _race(write, lambda: watch.wait(0), lambda: written[0], 5000)
    finally:
        sys.setswitchinterval(interval)


def _race(
    write: Callable[[int], None], wait: Callable[[], bool], look: Callable[[], int], rounds: int
) -> None:
    changed = threading.Condition()
    seen = [0]

    def reader() -> None:
        while seen[-1] < rounds:
            if wait():
                found = look()
                with changed:
                    seen.append(found)
                    changed.notify_all()

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(reader)
        for n in range(1, rounds + 1):
            write(n)
            with changed:
                arrived = changed.wait_for(lambda: seen[-1] >= n, LONG_S)  # noqa: B023 (run at once)
            if not arrived:
                seen.append(rounds)
                pytest.fail(f"change {n} never woke the watch")
        reading.result(LONG_S)


def test_closing_ends_a_wait(watch: Watch) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(watch.wait, LONG_S * 10)
        watch.close()
        waiting.result(LONG_S)
