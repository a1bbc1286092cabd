"""Claims: done once when all goes well, again after a retryable error, and never recorded by who lost them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from shared.bus.dispatch import CLAIMS, Cut, Failed, Handlers, Job, Slow
from shared.bus.workers import DEAD_CLAIMS
from shared.clock import moment
from shared.errors import BadRequest, Conflict, Unavailable
from shared.events.run import RunFunded, RunRefused, RunStarted
from shared.store.port import Tx
from tests.unit.desk import PERSON, WORKSPACE, Desk

TRIES = 4


class Death(BaseException):
    """The process ends here: nothing that comes after it in the thread happens."""


class Send(Job):
    text: str


@dataclass
class Deps:
    """`outside` is what `do` does; `recorded` what `record` was given, in order."""

    outside: Callable[[], Any] = lambda: "sent"
    recording: Callable[[], None] = lambda: None
    done: int = 0
    recorded: list[Any] = field(default_factory=list)
    told: threading.Event = field(default_factory=threading.Event)


def claim(event: RunRefused | RunFunded, tx: Tx, deps: Deps) -> Send:
    return Send(text=event.run_id)


def do(job: Send, deps: Deps) -> Any:
    deps.done += 1
    return deps.outside()


def record(job: Send, outcome: Any, tx: Tx, deps: Deps) -> None:
    assert (tx.cause.workspace_id, tx.cause.actor) == (WORKSPACE, PERSON)
    tx.put("sent", job.text, {"outcome": str(outcome)})
    tx.emit(RunStarted(run_id=job.text, agent_id="a", kind="test", attempt=1))
    deps.recording()
    deps.recorded.append(outcome)
    deps.told.set()


HANDLERS: Handlers = {
    RunRefused: Slow(claim, do, record, Send, tries=TRIES),
    RunFunded: Slow(claim, do, record, Send, on_cut="unknown"),
}
REDONE = RunRefused(run_id="run_1", reason="")
ASKED = RunFunded(run_id="run_1", lease_id="l", tokens=0, expires_at="")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, "executor", HANDLERS, lambda _: Deps())
    yield made
    made.close()


def only_claim(desk: Desk) -> dict[str, Any]:
    (found,) = desk.documents(CLAIMS).values()
    return found


def raising(error: BaseException) -> Callable[[], Any]:
    def outside() -> Any:
        raise error

    return outside


def test_a_claim_is_done_recorded_and_gone(desk: Desk) -> None:
    desk.hears(REDONE)
    assert desk.works() == 1
    assert desk.deps.recorded == ["sent"]
    assert desk.documents(CLAIMS) == {}
    assert len(desk.said(RunStarted)) == 1


def test_a_retryable_error_repeats_it_after_a_doubling_pause_and_then_gives_up(desk: Desk) -> None:
    desk.deps.outside = raising(Unavailable("nobody answers"))
    desk.hears(REDONE)
    pauses = []
    while desk.works():
        for waiting in desk.documents(CLAIMS).values():
            pauses.append((moment(waiting["due_at"]) - desk.clock.now()).total_seconds())
            desk.clock.advance(seconds=pauses[-1] - 0.001)
            assert desk.works() == 0
            desk.clock.advance(seconds=0.001)
    assert pauses == [0.5, 1.0, 2.0]
    assert desk.deps.done == TRIES
    assert desk.deps.recorded == [Failed("unavailable", "nobody answers")]
    assert desk.documents(CLAIMS) == {}


def test_an_error_that_repeating_cannot_mend_is_recorded_at_once(desk: Desk) -> None:
    desk.deps.outside = raising(BadRequest("no such channel", code="bad_channel"))
    desk.hears(REDONE)
    desk.works()
    assert desk.deps.done == 1
    assert desk.deps.recorded == [Failed("bad_channel", "no such channel")]


def test_a_defect_ends_the_claim_and_is_logged(desk: Desk, expect_errors: list[str]) -> None:
    desk.deps.outside = raising(ZeroDivisionError("a defect"))
    desk.hears(REDONE)
    desk.works()
    assert desk.deps.recorded == [Failed("internal", "ZeroDivisionError: a defect")]
    assert len(expect_errors) == 1


@pytest.mark.parametrize(
    ("event", "outcome", "done"), [(REDONE, "sent", 2), (ASKED, Cut(), 1)], ids=["redo", "unknown"]
)
def test_a_death_in_the_middle_is_redone_or_asked_about_when_the_lease_has_run_out(
    desk: Desk, event: RunRefused | RunFunded, outcome: object, done: int
) -> None:
    desk.deps.outside = raising(Death())
    desk.hears(event)
    with pytest.raises(Death):
        desk.works()
    desk.deps.outside = lambda: "sent"
    desk.clock.advance(seconds=59)
    assert desk.works() == 0, "its holder may be alive"
    desk.clock.advance(seconds=1)
    assert desk.works() == 1
    assert desk.deps.recorded == [outcome]
    assert desk.deps.done == done


def test_a_death_before_recording_is_not_taken_for_one_before_the_next_try(desk: Desk) -> None:
    desk.deps.outside = raising(Unavailable("nobody answers"))
    desk.hears(ASKED)
    desk.works()
    desk.deps.outside = lambda: "sent"
    desk.clock.advance(seconds=1)
    desk.works()
    assert desk.deps.recorded == ["sent"], "put back by its holder, so nobody was cut"


def test_who_was_overtaken_records_nothing(desk: Desk) -> None:
    other = desk.workers()

    def overtaken() -> str:
        desk.deps.outside = lambda: "sent by the other"
        desk.clock.advance(seconds=61)
        assert other.run_due()
        return "sent too late"

    desk.deps.outside = overtaken
    desk.hears(REDONE)
    desk.works()
    assert desk.deps.recorded == ["sent by the other"]
    assert desk.documents("sent")["run_1"] == {"outcome": "sent by the other"}
    assert len(desk.said(RunStarted)) == 1


def test_who_was_overtaken_records_nothing_while_the_other_is_still_at_it(desk: Desk) -> None:
    other = desk.workers()

    def overtaken() -> str:
        desk.deps.outside = raising(Death())
        desk.clock.advance(seconds=61)
        with pytest.raises(Death):
            other.run_due()
        return "sent too late"

    desk.deps.outside = overtaken
    desk.hears(REDONE)
    desk.works()
    assert desk.deps.recorded == []
    assert only_claim(desk)["attempt"] == 2


def test_who_was_overtaken_does_not_put_it_back_either(desk: Desk) -> None:
    other = desk.workers()

    def overtaken() -> str:
        desk.deps.outside = raising(Death())
        desk.clock.advance(seconds=61)
        with pytest.raises(Death):
            other.run_due()
        raise Unavailable("nobody answers")

    desk.deps.outside = overtaken
    desk.hears(REDONE)
    desk.works()
    assert (only_claim(desk)["state"], only_claim(desk)["tries"], only_claim(desk)["attempt"]) == (
        "taken",
        0,
        2,
    )


def test_a_long_job_keeps_its_claim_when_it_is_renewed(desk: Desk) -> None:
    mine, other = desk.workers(), desk.workers()

    def long() -> str:
        for _ in range(5):
            desk.clock.advance(seconds=40)
            mine.renew_held()
            assert not other.run_due()
        return "sent"

    desk.deps.outside = long
    desk.hears(REDONE)
    assert mine.run_due()
    assert desk.deps.recorded == ["sent"]
    assert desk.deps.done == 1


def test_what_is_over_is_not_renewed(desk: Desk) -> None:
    mine = desk.workers()
    desk.hears(REDONE)
    mine.run_due()
    mine.renew_held()
    assert desk.documents(CLAIMS) == {}


def test_recording_is_tried_again_when_the_store_did_not_take_it(desk: Desk) -> None:
    refusals = [Unavailable("busy")]

    def recording() -> None:
        if refusals:
            raise refusals.pop()

    desk.deps.recording = recording
    desk.hears(REDONE)
    desk.works()
    assert desk.documents("sent") == {}
    assert desk.outgoing() == []
    desk.clock.advance(seconds=1)
    desk.works()
    assert desk.deps.recorded == ["sent"]
    assert len(desk.said(RunStarted)) == 1


def test_nothing_waits_for_a_lease_at_the_start_of_the_only_process(desk: Desk) -> None:
    desk.deps.outside = raising(Death())
    desk.hears(REDONE)
    with pytest.raises(Death):
        desk.works()
    desk.deps.outside = lambda: "sent"
    again = desk.workers(threads=1, alone=True)
    again.start()
    assert desk.deps.told.wait(60)
    again.stop()
    assert desk.deps.recorded == ["sent"]


def test_a_claim_left_for_later_in_a_fresh_process_keeps_its_time(desk: Desk) -> None:
    desk.deps.outside = raising(Unavailable("nobody answers"))
    desk.hears(REDONE)
    desk.works()
    before = only_claim(desk)
    again = desk.workers(threads=1, alone=True)
    again.start()
    again.stop()
    assert only_claim(desk) == before


def test_what_may_have_had_its_effect_is_asked_about_when_recording_it_failed(desk: Desk) -> None:
    refusals = [Unavailable("busy")]

    def recording() -> None:
        if refusals:
            raise refusals.pop()

    desk.deps.recording = recording
    desk.hears(ASKED)
    desk.works()
    desk.clock.advance(seconds=60)
    desk.works()
    assert desk.deps.done == 1, "the message would have gone twice"
    assert desk.deps.recorded == [Cut()]


@pytest.mark.parametrize(("error", "tries"), [(ZeroDivisionError("a defect"), 20), (Conflict("later"), 600)])
def test_what_can_never_be_recorded_is_given_up_and_kept_apart(
    desk: Desk, expect_errors: list[str], error: Exception, tries: int
) -> None:
    desk.deps.recording = raising(error)
    desk.hears(REDONE)
    for _ in range(tries + 5):
        desk.works()
        desk.clock.advance(seconds=31)

    assert desk.documents(CLAIMS) == {}
    (dead,) = desk.documents(DEAD_CLAIMS).values()
    assert (dead["tries"], "defect" in dead["reason"] or "later" in dead["reason"]) == (tries - 1, True)
