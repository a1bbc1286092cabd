"""The outbox reaches the bus: everything, in order, and again after whatever went wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from shared.bus.port import Awaits, DeadLetter, Receiver
from shared.clock import FakeClock
from shared.errors import Unavailable
from shared.events.envelope import Envelope
from shared.events.run import RunCancelRequested
from shared.ids import SeededIds
from shared.runtime.relay import Relay
from shared.store.port import Cause, Tx
from shared.store.sqlite import SqliteDatabases, SqliteStore

PATIENCE_S = 60


class BusThatRefuses:
    """Takes events, or raises what it was told to, one error a call."""

    local = False

    def __init__(self) -> None:
        self.errors: list[Exception] = []
        self.taken: list[str] = []
        self.largest = 0
        self.took = threading.Condition()

    def publish(self, envelopes: Sequence[Envelope]) -> None:
        if self.errors:
            raise self.errors.pop()
        with self.took:
            self.taken += [envelope.subject for envelope in envelopes]
            self.largest = max(self.largest, len(envelopes))
            self.took.notify_all()

    def has(self, subjects: list[str]) -> bool:
        with self.took:
            return self.took.wait_for(lambda: self.taken == subjects, PATIENCE_S)

    def subscribe(
        self, service: str, topics: Sequence[str], receive: Receiver, *, awaits: Awaits | None = None
    ) -> None: ...

    def start(self) -> None: ...

    def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        return []

    def replay(self, dead_letter_id: str) -> None: ...

    def trim(self) -> None: ...

    def stop(self) -> None: ...


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    databases = SqliteDatabases(tmp_path, FakeClock(), SeededIds())
    yield databases.own("gateway")
    databases.close()


@pytest.fixture
def bus() -> BusThatRefuses:
    return BusThatRefuses()


@pytest.fixture
def relay(store: SqliteStore, bus: BusThatRefuses) -> Iterator[Relay]:
    made = Relay("gateway", store, bus, FakeClock())
    yield made
    made.stop()


def emit(store: SqliteStore, *names: str) -> None:
    def write(tx: Tx) -> None:
        for name in names:
            tx.emit(RunCancelRequested(run_id=name))

    store.transact(write, cause=Cause("wsp_one", "user:one"))


def test_what_was_committed_is_published_in_order_and_then_forgotten(
    relay: Relay, store: SqliteStore, bus: BusThatRefuses
) -> None:
    emit(store, "run_1", "run_2")
    emit(store, "run_3")
    assert relay.send_once() is False
    assert bus.taken == ["run_1", "run_2", "run_3"]
    assert store.outbox(10) == []
    relay.send_once()
    assert len(bus.taken) == 3


def test_a_full_batch_says_that_there_may_be_more(
    relay: Relay, store: SqliteStore, bus: BusThatRefuses
) -> None:
    names = [f"run_{n:03d}" for n in range(230)]
    emit(store, *names)
    assert [relay.send_once() for _ in range(3)] == [True, True, False]
    assert bus.taken == names
    assert bus.largest == 100


def test_nothing_is_forgotten_that_the_bus_did_not_take(
    relay: Relay, store: SqliteStore, bus: BusThatRefuses
) -> None:
    emit(store, "run_1")
    bus.errors = [Unavailable("away")]
    with pytest.raises(Unavailable):
        relay.send_once()
    assert [envelope.subject for envelope in store.outbox(10)] == ["run_1"]
    relay.send_once()
    assert bus.taken == ["run_1"]


def test_what_is_there_at_the_start_and_what_comes_later_is_sent(
    relay: Relay, store: SqliteStore, bus: BusThatRefuses
) -> None:
    emit(store, "run_1")
    relay.start()
    assert bus.has(["run_1"])
    emit(store, "run_2")
    assert bus.has(["run_1", "run_2"])


def test_its_thread_outlives_a_bus_that_is_away(
    relay: Relay, store: SqliteStore, bus: BusThatRefuses
) -> None:
    bus.errors = [Unavailable("away"), Unavailable("away")]
    emit(store, "run_1")
    relay.start()
    assert bus.has(["run_1"])


def test_its_thread_outlives_a_defect_and_says_so(
    relay: Relay, store: SqliteStore, bus: BusThatRefuses, expect_errors: list[str]
) -> None:
    bus.errors = [ZeroDivisionError("a defect")]
    emit(store, "run_1")
    relay.start()
    assert bus.has(["run_1"])
    assert "a defect" in expect_errors[0]


def test_it_may_be_stopped_before_it_was_started_and_twice(store: SqliteStore, bus: BusThatRefuses) -> None:
    relay = Relay("gateway", store, bus, FakeClock())
    relay.stop()
    relay.stop()


class BusHere(BusThatRefuses):
    local = True


def test_events_reach_a_bus_of_this_machine_before_the_commit_returns(store: SqliteStore) -> None:
    bus = BusHere()
    relay = Relay("gateway", store, bus, FakeClock())
    relay.start()
    for n in range(150):
        emit(store, f"run_{n}")
        assert bus.taken[-1] == f"run_{n}"
    relay.send_once()
    assert store.outbox(10) == []
    assert len(bus.taken) == 150, "carried once"
    relay.stop()


def test_the_thread_sends_what_could_not_be_carried_at_once(store: SqliteStore) -> None:
    bus = BusHere()
    relay = Relay("gateway", store, bus, FakeClock())
    relay.start()
    bus.errors = [Unavailable("away")]
    emit(store, "run_1")
    assert bus.has(["run_1"])
    relay.stop()


def test_a_defect_of_the_bus_does_not_reach_who_committed(
    store: SqliteStore, expect_errors: list[str]
) -> None:
    bus = BusHere()
    relay = Relay("gateway", store, bus, FakeClock())
    relay.start()
    bus.errors = [ZeroDivisionError("a defect")]
    emit(store, "run_1")
    assert bus.has(["run_1"])
    assert "a defect" in expect_errors[0]
    relay.stop()


def test_what_was_carried_and_not_marked_comes_again_after_a_death(store: SqliteStore) -> None:
    bus = BusHere()
    relay = Relay("gateway", store, bus, FakeClock())
    relay.start()
    emit(store, "run_1")
    relay.stop()  # as a death: nothing is marked on the way out
    again = Relay("gateway", store, bus, FakeClock())
    again.send_once()
    assert bus.taken == ["run_1", "run_1"]
    assert store.outbox(10) == []
