"""What is heard of an attempt that outlives its process: each report counts once, whichever process hears it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from services.executor import repository
from services.executor.attempts.decoys import DecoyWatch
from services.executor.attempts.lasting_sink import LastingRecorder
from services.executor.attempts.sink import AttemptRecorder
from services.executor.attempts.under_way import Keeping
from services.executor.egress.decoys import Decoy
from services.executor.ports import Superseded
from shared.clock import FakeClock
from shared.errors import Unavailable
from shared.ids import SeededIds
from shared.store.port import Cause, Query, Tx
from shared.store.sqlite import SqliteDatabases, SqliteStore
from shared.telemetry.watching import Watching
from tests.unit.executor.attempts.test_sink import EXCHANGE, a_run, untaped

T = TypeVar("T")
DECOY = Decoy("BACKUP_ADMIN_PASSWORD", "abcdefghijklmnopqrstuvwx")
CAUSE = Cause("wsp_one", "agent:agent_1")


class LossyStore(SqliteStore):
    """lost: of so many commits the answer does not arrive. away: so many are not made."""

    lost = 0
    away = 0

    def transact(self, function: Callable[[Tx], T], *, cause: Cause) -> T:
        if self.away:
            self.away -= 1
            raise Unavailable("away")
        result = super().transact(function, cause=cause)
        if self.lost:
            self.lost -= 1
            raise Unavailable("the answer is lost")
        return result


@dataclass
class Desk:
    store: LossyStore
    superseded: list[str] = field(default_factory=list)

    def recorder(self, life: str, *, new: bool = False) -> LastingRecorder:
        """Of a process of that name, which hears the attempt from now on."""
        keeping = Keeping(self.store, life, bytes(32))
        recorder = LastingRecorder(
            a_run(),
            self.store,
            FakeClock(),
            DecoyWatch((DECOY,), lambda: None),
            untaped(),
            Watching(),
            keeping=keeping,
            known=None if new else keeping.take("att_1"),
            on_ended=lambda recorder, ended: None,
            on_superseded=self._note(life),
        )
        if new:
            recorder.begin()
        return recorder

    def _note(self, life: str) -> Callable[[AttemptRecorder], None]:
        return lambda recorder: self.superseded.append(life)

    def entries(self) -> list[tuple[str, Any]]:
        found = self.store.query(Query(repository.ENTRIES, order_by="seq", limit=1000))
        assert [one.data["seq"] for one in found] == list(range(1, len(found) + 1))
        shown = {"log": "text", "step": "name", "host": "host"}
        return [(one.data["kind"], one.data["data"][shown[one.data["kind"]]]) for one in found]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    databases = SqliteDatabases(tmp_path, FakeClock(), SeededIds())
    store = databases.own("executor")
    store.__class__ = LossyStore
    assert isinstance(store, LossyStore)
    store.transact(lambda tx: repository.save_run(tx, a_run()), cause=CAUSE)
    yield Desk(store)
    databases.close()


def says(recorder: LastingRecorder, number: int, text: str) -> None:
    recorder.marked(lambda: {"number": number})
    with recorder.batch():
        recorder.log("stdout", text.encode())
        recorder.report({"kind": "step", "name": text})


def test_what_is_heard_is_written_when_the_batch_is_over_and_not_before(desk: Desk) -> None:
    recorder = desk.recorder("one", new=True)
    recorder.marked(lambda: {"number": 2})

    with recorder.batch():
        recorder.log("stdout", b"line")
        recorder.report({"kind": "step", "name": "step"})
        assert desk.entries() == []

    assert desk.entries() == [("log", "line"), ("step", "step")]
    assert not recorder.pending()
    assert desk.recorder("two").marked(dict) == {"number": 2}


def test_another_process_remembers_all_that_was_heard(desk: Desk) -> None:
    first = desk.recorder("one", new=True)
    refused = replace(EXCHANGE, verdict="refused", reason="undeclared_host")
    shown = replace(EXCHANGE, verdict="would_send", effect="write")
    wrote = replace(EXCHANGE, method="POST", effect="write")
    with first.batch():
        first.report({"kind": "deliver", "channel": "inbox", "text": "하나"})
        first.report({"kind": "cut"})
        first.log("stderr", b"it hurts")
        first.log("stdout", b"so far " + DECOY.value[:6].encode())
        for exchange in (EXCHANGE, refused, shown, wrote):
            first.exchange(exchange)

    second = desk.recorder("two")

    for name in ("deliveries", "refusals", "would_send", "hosts", "requests", "problems", "error_tail"):
        assert getattr(second, name) == getattr(first, name) != type(getattr(first, name))(), name
    assert (second.wrote, second.begun_at, second.cause) == (True, first.begun_at, first.cause)
    with second.batch():
        second.report({"kind": "deliver", "channel": "inbox", "text": "둘"})
        second.exchange(EXCHANGE)
        second.log("stdout", DECOY.value[6:].encode())
    assert [one.text for one in second.deliveries] == ["하나", "둘"]
    assert len({one.id for one in second.deliveries}) == 2
    assert second.hosts[(EXCHANGE.host, "sent")].requests == 3
    assert second.decoys.seen == f"stdout: {DECOY.place}"
    assert desk.recorder("three").decoys.seen == second.decoys.seen


def test_steps_are_counted_over_all_processes(desk: Desk) -> None:
    first = desk.recorder("one", new=True)
    with first.batch():
        for number in range(400):
            first.report({"kind": "step", "name": str(number)})
    second = desk.recorder("two")
    with second.batch():
        for number in range(400, 600):
            second.report({"kind": "step", "name": str(number)})

    assert [name for _, name in desk.entries()] == [str(number) for number in range(500)]


@pytest.mark.parametrize("trouble", ["lost", "away"])
def test_a_batch_stands_once_when_the_store_does_not_answer(desk: Desk, trouble: str) -> None:
    recorder = desk.recorder("one", new=True)
    setattr(desk.store, trouble, 2)

    with pytest.raises(Unavailable):
        says(recorder, 1, "first")
    with pytest.raises(Unavailable), recorder.batch():
        pass  # it came again, and was heard already
    says(recorder, 2, "second")

    assert desk.entries() == [("log", "first"), ("step", "first"), ("log", "second"), ("step", "second")]
    assert desk.recorder("two").marked(dict) == {"number": 2}


def test_notes_go_in_the_commit_that_keeps_what_they_said(desk: Desk) -> None:
    recorder = desk.recorder("one", new=True)
    desk.store.transact(lambda tx: tx.put(repository.NOTES, "note_1", {}), cause=CAUSE)
    desk.store.away = 1

    with (
        pytest.raises(Unavailable),
        recorder.batch(lambda tx: tx.delete(repository.NOTES, "note_1")),
    ):
        recorder.exchange(EXCHANGE)
    assert desk.store.get(repository.NOTES, "note_1") is not None
    with recorder.batch():
        pass

    assert desk.store.get(repository.NOTES, "note_1") is None
    assert desk.recorder("two").hosts == recorder.hosts


def test_a_process_whose_attempt_another_hears_writes_nothing_more(desk: Desk) -> None:
    first = desk.recorder("one", new=True)
    says(first, 1, "first")
    second = desk.recorder("two")

    with pytest.raises(Superseded):
        says(first, 2, "again")
    with pytest.raises(Superseded):
        first.demand_ours()
    says(second, 2, "second")
    second.demand_ours()

    assert [text for kind, text in desk.entries() if kind == "step"] == ["first", "second"]
    assert desk.superseded == ["one", "one"]


def test_two_processes_cannot_both_begin_an_attempt(desk: Desk) -> None:
    desk.recorder("one", new=True)

    with pytest.raises(Unavailable, match="has begun this attempt"):
        desk.recorder("two", new=True)


def test_an_attempt_has_the_same_chance_in_every_process_and_another_than_the_next(desk: Desk) -> None:
    one, two = (Keeping(desk.store, life, bytes(32)) for life in ("one", "two"))

    assert one.seed("att_1") == two.seed("att_1") != one.seed("att_2")
    assert one.seed("att_1") != Keeping(desk.store, "one", bytes(31) + b"1").seed("att_1")


@pytest.mark.parametrize(
    ("change", "lives"),
    [
        ({}, True),
        ({"status": "running"}, True),
        ({"status": "cancelled"}, False),
        ({"attempt": 2, "attempt_id": "att_2"}, False),
    ],
)
def test_only_current_attempts_live_on_and_what_is_left_of_others_goes(
    desk: Desk, change: dict[str, Any], lives: bool
) -> None:
    desk.recorder("one", new=True)
    desk.store.transact(lambda tx: repository.save_run(tx, a_run(**change)), cause=CAUSE)
    keeping = Keeping(desk.store, "two", bytes(32))

    assert keeping.living() == ({"att_1"} if lives else set())
    assert (keeping.find("att_1") is not None) is lives


def test_an_exchange_is_seen_by_whoever_hears_it(desk: Desk) -> None:
    recorder = desk.recorder("one", new=True)

    recorder.exchange(EXCHANGE)
    assert desk.entries() == []
    with recorder.batch():
        pass

    assert desk.entries() == [("host", EXCHANGE.host)]
