"""What becomes of a delivered event: one commit or none, and the right word to the bus."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from shared.bus.dispatch import CLAIMS, Handlers, Job, Quick, Slow
from shared.bus.port import Received
from shared.errors import Conflict, NotFound, NotYet, Unavailable
from shared.events.clock import TimeTicked
from shared.events.run import RunFunded, RunRefused, RunStarted
from shared.store.marks import INBOX
from shared.store.port import Query, Tx
from tests.unit.desk import PERSON, WORKSPACE, Desk


@dataclass
class Deps:
    """What the handlers do next to writing: raise, or nothing."""

    raises: BaseException | None = None
    calls: list[str] = field(default_factory=list)


def on_funded(event: RunFunded, tx: Tx, deps: Deps) -> None:
    deps.calls.append(event.run_id)
    tx.put("runs", event.run_id, {"tokens": event.tokens, "by": tx.cause.actor})
    tx.emit(RunStarted(run_id=event.run_id, agent_id="a", kind="test", attempt=1))
    if deps.raises is not None:
        raise deps.raises


class Send(Job):
    run_id: str


def claim(event: RunRefused, tx: Tx, deps: Deps) -> Send | None:
    return Send(run_id=event.run_id) if event.reason != "nothing to do" else None


def on_tick(event: TimeTicked, tx: Tx, deps: Deps) -> None:
    deps.calls.append(event.at)


HANDLERS: Handlers = {
    RunFunded: Quick(on_funded),
    RunRefused: Slow(claim, lambda job, deps: None, lambda job, outcome, tx, deps: None, Send),
    TimeTicked: Quick(on_tick, once=False),
}
FUNDED = RunFunded(run_id="run_1", lease_id="lease_1", tokens=5, expires_at="later")
REFUSED = RunRefused(run_id="run_1", reason="no money")
ACK = Received("ack")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, "executor", HANDLERS, lambda _: Deps())
    yield made
    made.close()


def test_documents_events_and_mark_are_one_commit(desk: Desk) -> None:
    assert desk.hears(FUNDED) == ACK
    assert desk.documents("runs") == {"run_1": {"tokens": 5, "by": PERSON}}
    (started,) = desk.outgoing()
    assert (started.workspace_id, started.actor, started.source) == (WORKSPACE, PERSON, "/services/executor")
    assert len(desk.documents(INBOX)) == 1


def test_an_event_that_comes_twice_changes_nothing_the_second_time(desk: Desk) -> None:
    envelope = desk.envelope(FUNDED)
    assert [desk.hears_again(envelope) for _ in range(3)] == [ACK] * 3
    (version,) = [d.version for d in desk.store.query(Query("runs"))]
    assert desk.hears_again(envelope) == ACK
    assert [d.version for d in desk.store.query(Query("runs"))] == [version]
    assert len(desk.said(RunStarted)) == 1


def test_an_event_that_comes_again_when_it_makes_no_sense_any_more_is_taken(desk: Desk) -> None:
    envelope = desk.envelope(FUNDED)
    assert desk.hears_again(envelope) == ACK
    desk.deps.raises = NotFound("gone meanwhile")
    assert desk.hears_again(envelope) == ACK
    assert len(desk.said(RunStarted)) == 1


def test_the_same_id_from_another_source_is_another_event(desk: Desk) -> None:
    desk.hears(FUNDED, id="evt_1")
    other = replace(desk.envelope(TimeTicked(at="now"), id="evt_1"))
    assert desk.hears_again(other) == ACK
    assert desk.deps.calls == ["run_1", "now"]


def test_a_sweep_runs_however_often_it_comes(desk: Desk) -> None:
    envelope = desk.envelope(TimeTicked(at="now"))
    for _ in range(3):
        desk.hears_again(envelope)
    assert desk.deps.calls == ["now"] * 3
    assert desk.documents(INBOX) == {}


def test_a_sender_who_may_not_emit_it_is_refused(desk: Desk) -> None:
    received = desk.hears(FUNDED, source="gateway")
    assert received.verdict == "dead"
    assert "/services/gateway may not emit" in received.reason
    assert desk.deps.calls == []


def test_an_event_of_another_workspace_than_its_aggregate_is_dead_and_changes_nothing(tmp_path: Path) -> None:
    def on_started(event: RunStarted, tx: Tx, deps: Deps) -> None:
        run = tx.get("runs", event.run_id)
        others = tx.query(Query("runs"))
        tx.put("runs", event.run_id, {"workspace_id": tx.cause.workspace_id, "known": run is not None})
        assert len(others) == (run is not None)

    desk = Desk(tmp_path, "gateway", {RunStarted: Quick(on_started)}, lambda _: Deps())
    started = RunStarted(run_id="run_1", agent_id="a", kind="test", attempt=1)
    assert desk.hears(started) == ACK

    received = desk.hears(started, workspace="wsp_two")

    assert received.verdict == "dead"
    assert "runs/run_1 is of another workspace" in received.reason
    assert desk.documents("runs") == {"run_1": {"workspace_id": WORKSPACE, "known": False}}
    assert desk.hears(started) == ACK
    assert desk.documents("runs")["run_1"]["known"]
    desk.close()


def test_an_unknown_type_is_dead_and_one_nobody_here_handles_is_taken(desk: Desk) -> None:
    unknown = replace(desk.envelope(FUNDED), type="agentbuilder.run.forgotten.v1")
    assert desk.hears_again(unknown).verdict == "dead"
    started = RunStarted(run_id="run_1", agent_id="a", kind="test", attempt=1)
    assert desk.hears(started) == ACK
    assert desk.documents(INBOX) == {}


def test_data_that_do_not_fit_are_dead(desk: Desk) -> None:
    envelope = desk.envelope(FUNDED).with_data({"run_id": "run_1", "tokens": "many"})
    assert desk.hears_again(envelope).verdict == "dead"
    assert desk.deps.calls == []


def test_only_runs_of_its_kinds_wake_a_handler_and_reach_it(tmp_path: Path) -> None:
    def on_started(event: RunStarted, tx: Tx, deps: Deps) -> None:
        deps.calls.append(event.run_id)

    handlers: Handlers = {RunStarted: Quick(on_started, kinds=frozenset({"test"}))}
    desk = Desk(tmp_path, "planner", handlers, lambda _: Deps())
    facts = [
        RunStarted(run_id=f"run_{kind}", agent_id="a", kind=kind, attempt=1) for kind in ("test", "manual")
    ]
    envelopes = [desk.envelope(fact) for fact in facts]
    assert [desk.dispatcher.awaits(envelope) for envelope in envelopes] == [True, False]
    assert [desk.hears_again(envelope) for envelope in envelopes] == [ACK, ACK]
    assert desk.deps.calls == ["run_test"]
    assert not desk.dispatcher.awaits(desk.envelope(FUNDED)), "nobody here handles it"
    desk.close()


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (NotYet("its cause is on the way"), "retry"),
        (Unavailable("later"), "retry"),
        (Conflict("somebody else made it"), "retry"),
        (NotFound("no such run"), "dead"),
    ],
)
def test_an_error_decides_whether_it_comes_again_and_leaves_nothing(
    desk: Desk, error: Exception, verdict: str
) -> None:
    desk.deps.raises = error
    envelope = desk.envelope(FUNDED)
    assert desk.hears_again(envelope).verdict == verdict
    assert desk.documents("runs") == desk.documents(INBOX) == {}
    assert desk.outgoing() == []

    desk.deps.raises = None
    assert desk.hears_again(envelope) == ACK
    assert list(desk.documents("runs")) == ["run_1"]


def test_a_defect_passes_to_the_bus_and_leaves_nothing(desk: Desk) -> None:
    desk.deps.raises = ZeroDivisionError("a defect")
    with pytest.raises(ZeroDivisionError):
        desk.hears(FUNDED)
    assert desk.documents("runs") == desk.documents(INBOX) == {}
    assert desk.outgoing() == []


def test_a_slow_event_leaves_one_claim_however_often_it_comes(desk: Desk) -> None:
    envelope = desk.envelope(REFUSED)
    for _ in range(3):
        assert desk.hears_again(envelope) == ACK
    (claimed,) = desk.documents(CLAIMS).values()
    assert claimed["job"] == {"run_id": "run_1"}
    assert (claimed["state"], claimed["tries"], claimed["attempt"]) == ("ready", 0, 0)
    assert claimed["cause"] == [WORKSPACE, PERSON, ""]


def test_nothing_is_claimed_when_there_is_nothing_to_do(desk: Desk) -> None:
    assert desk.hears(RunRefused(run_id="run_1", reason="nothing to do")) == ACK
    assert desk.documents(CLAIMS) == {}


def test_marks_are_forgotten_a_week_later_and_no_sooner(desk: Desk) -> None:
    desk.hears(FUNDED)
    desk.clock.advance(days=6.9)
    desk.hears(TimeTicked(at="now"))
    assert len(desk.documents(INBOX)) == 1
    desk.clock.advance(days=0.2)
    desk.hears(TimeTicked(at="now"))
    assert desk.documents(INBOX) == {}
