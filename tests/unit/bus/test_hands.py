"""A claim goes straight to a free worker of this process; without one it waits where anybody can find it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from shared.bus.dispatch import CLAIMS, Dispatcher, Handlers, Job, Quick, Slow
from shared.bus.port import Received
from shared.bus.workers import Workers
from shared.errors import NotYet, Unavailable
from shared.events.clock import TimeTicked
from shared.events.run import RunFunded, RunRefused
from shared.store.port import Tx
from tests.contract.receiving import eventually
from tests.unit.desk import Desk


class Say(Job):
    text: str


@dataclass
class Deps:
    """`do` says that it has begun and waits for `leave`."""

    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    leave: threading.Event = field(default_factory=threading.Event)
    errors: list[Exception] = field(default_factory=list)
    done: list[str] = field(default_factory=list)


def claim(event: RunRefused | RunFunded, tx: Tx, deps: Deps) -> Say | None:
    if event.run_id == "run_unknown":
        raise NotYet("not yet")
    return Say(text=event.run_id) if event.run_id != "run_nothing" else None


def do(job: Say, deps: Deps) -> None:
    deps.begun.release()
    deps.leave.wait(30)
    if deps.errors:
        raise deps.errors.pop()


def record(job: Say, outcome: object, tx: Tx, deps: Deps) -> None:
    deps.done.append(job.text)


HANDLERS: Handlers = {
    RunRefused: Slow(claim, do, record, Say),
    RunFunded: Slow(claim, do, record, Say, on_cut="unknown"),
}


class House:
    """One service with two workers at work."""

    def __init__(self, folder: Path) -> None:
        self.desk = Desk(folder, "executor", HANDLERS, lambda _: Deps())
        self.deps: Deps = self.desk.deps
        self.workers: Workers = self.desk.workers(threads=2)
        self.workers.start()
        desk = self.desk
        self.dispatcher = Dispatcher("executor", HANDLERS, desk.store, desk.deps, desk.clock, self.workers)

    def hears(self, run_id: str) -> Received:
        return self.dispatcher.receive(self.desk.envelope(RunRefused(run_id=run_id, reason="")))

    def begun(self) -> bool:
        return self.deps.begun.acquire(timeout=30)

    def states(self) -> list[str]:
        return sorted(claim["state"] for claim in self.desk.documents(CLAIMS).values())


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.deps.leave.set()
    made.workers.stop()
    made.desk.close()


def test_a_claim_is_taken_from_the_start_when_a_worker_is_free(house: House) -> None:
    house.hears("run_1")
    (claimed,) = house.desk.documents(CLAIMS).values()
    assert (claimed["state"], claimed["attempt"]) == ("taken", 1)
    assert house.begun()
    house.deps.leave.set()
    assert eventually(lambda: house.desk.documents(CLAIMS) == {})
    assert house.deps.done == ["run_1"]


def test_a_claim_waits_until_a_worker_is_free_when_all_are_busy(house: House) -> None:
    for n in range(3):
        house.hears(f"run_{n}")
    assert house.begun()
    assert house.begun()
    assert house.states() == ["ready", "taken", "taken"]
    house.deps.leave.set()
    assert eventually(lambda: sorted(house.deps.done) == ["run_0", "run_1", "run_2"])


def test_places_are_given_back_when_nothing_was_claimed(house: House) -> None:
    envelope = house.desk.envelope(RunRefused(run_id="run_0", reason=""))
    house.dispatcher.receive(envelope)
    assert house.begun()
    for _ in range(5):
        house.hears("run_nothing")
        assert house.hears("run_unknown").verdict == "retry"
        assert house.dispatcher.receive(envelope).verdict == "ack"  # it was here before
    house.hears("run_1")
    assert house.begun(), "the second worker is still free"
    assert house.states() == ["taken", "taken"]


class Willing:
    """Workers that always have a place and begin nothing."""

    def __init__(self) -> None:
        self.handed: list[str] = []
        self.looks = 0

    def place(self) -> bool:
        return True

    def hand(self, id: str, claim: dict[str, Any]) -> None:
        self.handed.append(claim["state"])

    def give_back(self) -> None:
        return None

    def look(self) -> None:
        self.looks += 1


def test_a_tick_makes_them_look_for_what_is_due(tmp_path: Path) -> None:
    ticked: Handlers = {TimeTicked: Quick(lambda event, tx, deps: None, once=False)}
    desk, willing = Desk(tmp_path, "executor", ticked, lambda _: Deps()), Willing()
    dispatcher = Dispatcher("executor", ticked, desk.store, desk.deps, desk.clock, willing)

    dispatcher.receive(desk.envelope(TimeTicked(at="now")))

    assert willing.looks == 1
    desk.close()


def test_what_a_death_would_make_unknown_lies_ready_until_it_is_begun(tmp_path: Path) -> None:
    desk, willing = Desk(tmp_path, "executor", HANDLERS, lambda _: Deps()), Willing()
    dispatcher = Dispatcher("executor", HANDLERS, desk.store, desk.deps, desk.clock, willing)
    dispatcher.receive(desk.envelope(RunFunded(run_id="run_1", lease_id="l", tokens=0, expires_at="")))
    assert [claim["state"] for claim in desk.documents(CLAIMS).values()] == ["ready"]
    assert willing.handed == []
    dispatcher.receive(desk.envelope(RunRefused(run_id="run_2", reason="")))
    assert willing.handed == ["taken"]
    desk.close()


def test_a_claim_put_back_by_its_worker_is_found_again_when_its_time_has_come(house: House) -> None:
    house.deps.errors.append(Unavailable("nobody answers"))
    house.deps.leave.set()
    house.hears("run_1")
    assert eventually(lambda: house.states() == ["ready"])
    house.desk.clock.advance(seconds=1)
    assert eventually(lambda: house.deps.done == ["run_1"])
