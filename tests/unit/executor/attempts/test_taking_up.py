"""Attempts that go on while nobody here hears them: taken up once, whoever asks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from services.executor import repository
from services.executor.attempts.taking_up import TakingUp
from services.executor.attempts.under_way import Keeping
from shared.clock import FakeClock
from shared.errors import NotFound, Unavailable
from shared.ids import SeededIds
from shared.records.executor import Run
from shared.store.port import Cause
from shared.store.sqlite import SqliteDatabases, SqliteStore
from tests.unit.executor.attempts.test_lasting_sink import Desk, LossyStore
from tests.unit.executor.attempts.test_sink import a_run


@dataclass
class Bed:
    store: SqliteStore
    taking: TakingUp
    live: set[str] = field(default_factory=set)
    begun: list[str] = field(default_factory=list)
    given_up: threading.Event = field(default_factory=threading.Event)
    done: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    go: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None

    def begin(self, run: Run) -> None:
        self.begun.append(run.id)
        assert self.go.wait(60)
        self.done.release()
        if self.error is not None:
            raise self.error

    def is_taken(self) -> None:
        """Waits for one of them."""
        self.go.set()
        assert self.done.acquire(timeout=60)


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    databases = SqliteDatabases(tmp_path, FakeClock(), SeededIds())
    store = databases.own("executor")
    store.__class__ = LossyStore
    assert isinstance(store, LossyStore)
    cause = Cause("wsp_one", "agent:agent_1")
    store.transact(lambda tx: repository.save_run(tx, a_run(status="running")), cause=cause)
    Desk(store).recorder("one", new=True)
    keeping = Keeping(store, "two", bytes(32))
    live: set[str] = set()
    made = Bed(
        store,
        TakingUp(keeping, store, live.__contains__, lambda run: made.given_up.set()),
        live,
    )
    made.taking.begin = made.begin
    yield made
    made.go.set()
    made.taking.close()
    databases.close()


def run_of(bed: Bed) -> Run:
    return repository.Runs(bed.store).get("run_1")


def test_one_that_goes_on_is_taken_up_once_however_often_it_is_asked_for(bed: Bed) -> None:
    with pytest.raises(Unavailable, match="being taken up"):
        bed.taking.asked("att_1")
    assert bed.taking.goes_on(run_of(bed))
    bed.is_taken()

    assert bed.begun == ["run_1"]


def test_one_that_is_heard_here_is_left_alone(bed: Bed) -> None:
    bed.live.add("att_1")

    assert bed.taking.goes_on(run_of(bed))
    bed.taking.close()

    assert bed.begun == []


def test_one_that_is_over_or_unknown_does_not_go_on(bed: Bed) -> None:
    assert not bed.taking.asked("att_9")
    bed.store.transact(
        lambda tx: repository.save_run(tx, run_of(bed).but(status="cancelled")), cause=Cause("wsp_one", "x")
    )

    assert not bed.taking.asked("att_1")
    assert bed.begun == []


def test_one_that_cannot_be_taken_up_now_is_tried_again(bed: Bed) -> None:
    bed.error = Unavailable("not now")
    bed.taking.goes_on(run_of(bed))
    bed.is_taken()

    for _ in range(6000):  # the first try may not have ended quite yet
        assert bed.taking.goes_on(run_of(bed))
        if bed.done.acquire(timeout=0.01):
            break
    assert len(bed.begun) >= 2
    assert not bed.given_up.is_set()


def test_one_that_can_never_be_taken_up_is_given_up(bed: Bed) -> None:
    bed.error = NotFound("its version is gone")
    bed.taking.goes_on(run_of(bed))
    bed.is_taken()

    assert bed.given_up.wait(60)


def test_one_whose_taking_up_is_a_defect_is_given_up(bed: Bed, expect_errors: list[str]) -> None:
    bed.error = ValueError("a defect")
    bed.taking.goes_on(run_of(bed))
    bed.is_taken()

    assert bed.given_up.wait(60)
    assert "cannot be heard again" in expect_errors[0]


def test_nothing_is_taken_up_by_who_leaves(bed: Bed) -> None:
    bed.taking.close()

    assert bed.taking.goes_on(run_of(bed))

    assert bed.begun == []


def test_where_attempts_die_with_their_process_nothing_goes_on(bed: Bed) -> None:
    alone = TakingUp(None, bed.store, lambda attempt_id: False, lambda run: None)

    assert not alone.goes_on(run_of(bed))
    assert not alone.asked("att_1")
    alone.close()
