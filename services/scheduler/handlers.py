"""Schedules follow agents; ticks make slots; runs settle them. All quick: store only."""

from __future__ import annotations

from typing import Literal

from services.scheduler import repository
from services.scheduler.deps import Deps
from services.scheduler.model import ON_TIME, QUEUE_LIMIT, Due, due_slots
from shared.agentfile.schedule import next_firings
from shared.bus.dispatch import Handlers, Quick
from shared.clock import moment, stamp
from shared.errors import NotYet
from shared.events.agent import AgentChanged
from shared.events.clock import TimeTicked
from shared.events.run import RunFinished, RunRequested, RunStarted
from shared.events.schedule import DueLeft
from shared.records.scheduler import ScheduleRecord, Slot
from shared.store.port import Cause, Tx

AT_ONCE = 100  # schedules a commit: with slot, schedule and event of each it stays below what one commit should hold
PAGES = 10  # looked at in one go; docs/scale.md shows what follows from it


def on_agent_changed(event: AgentChanged, tx: Tx, deps: Deps) -> None:
    """Keep the agent's schedule; a change of schedule or switch counts from now, an unchanged one keeps its slot."""
    known = repository.find_schedule(tx, event.agent_id)
    heard = known.revision if known is not None else repository.revision_without_schedule(tx, event.agent_id)
    if heard is not None and heard >= event.revision:
        return
    if event.schedule is None:
        if known is not None:
            repository.save_schedule(tx, known.but(enabled=False, next_at=None, revision=event.revision))
        else:
            repository.note_without_schedule(tx, event.agent_id, event.revision)
        return
    enabled = event.enabled and not event.deleted
    now = deps.clock.now()
    same = known is not None and known.enabled == enabled and known.schedule == event.schedule
    if known is not None and same:
        next_at = known.next_at
    else:
        following = next_firings(event.schedule, now, 1) if enabled else []
        next_at = stamp(following[0]) if following else None
    repository.save_schedule(
        tx,
        ScheduleRecord(
            id=event.agent_id,
            workspace_id=tx.cause.workspace_id,
            agent_id=event.agent_id,
            version_id=event.version_id,
            grant_id=event.grant_id,
            enabled=enabled,
            schedule=event.schedule,
            tokens_per_run=event.tokens_per_run,
            tokens_per_day=event.tokens_per_day,
            revision=event.revision,
            next_at=next_at,
            updated_at=stamp(now),
        ),
    )


def on_time_ticked(event: TimeTicked, tx: Tx, deps: Deps) -> None:
    """Every due slot is made once, under an id that follows from agent and time."""
    _make_due(tx, deps, None, pages=PAGES)


def on_due_left(event: DueLeft, tx: Tx, deps: Deps) -> None:
    _make_due(tx, deps, (event.next_at, event.schedule_id), pages=PAGES if event.last else 1)


def _make_due(tx: Tx, deps: Deps, after: tuple[str, str] | None, *, pages: int) -> None:
    """Slots of the first page; the other pages are told to whoever is free, so that they are made at the same time.
    Two who make the same page do no harm: a slot exists once, and a schedule that has moved on is left alone."""
    now = deps.clock.now()
    found = repository.due_schedules(tx, stamp(now), AT_ONCE * pages, after)
    for start in range(AT_ONCE, len(found), AT_ONCE):
        before = found[start - 1]
        last = len(found) == AT_ONCE * pages and start + AT_ONCE == len(found)
        tx.emit(DueLeft(schedule_id=before.id, next_at=before.next_at or "", last=last))
    for due in found[:AT_ONCE]:
        record = repository.find_schedule(tx, due.id)
        if record is None or not record.enabled or record.next_at is None or moment(record.next_at) > now:
            continue
        slots, following = due_slots(record.schedule, moment(record.next_at), now)
        for slot in slots:
            _make_slot(tx, record, slot, deps)
        repository.save_schedule(tx, record.but(next_at=stamp(following) if following else None))


def _make_slot(tx: Tx, record: ScheduleRecord, due: Due, deps: Deps) -> None:
    at, now = stamp(due.at), deps.clock.now()
    id = repository.slot_id(record.agent_id, at)
    if repository.find_slot(tx, id) is not None:
        return
    runs = due.verdict == "run"
    status: Literal["requested", "skipped", "missed"] = "requested" if due.verdict == "run" else due.verdict
    slot = Slot(
        id=id,
        workspace_id=record.workspace_id,
        agent_id=record.agent_id,
        at=at,
        status=status,
        run_id=id if runs else None,
        reason="" if runs else f"missed={record.schedule.missed}",
        settled_at=None if runs else stamp(now),
    )
    repository.save_slot(tx, slot)
    if not runs or record.version_id is None:
        return
    tx.emit(
        RunRequested(
            run_id=id,
            agent_id=record.agent_id,
            version_id=record.version_id,
            kind="scheduled",
            grant_id=record.grant_id,
            slot_at=at,
            overlap=record.schedule.overlap,
            tokens=record.tokens_per_run,
            tokens_per_day=record.tokens_per_day,
            requested_at=stamp(now),
            deadline_at=stamp(now + QUEUE_LIMIT),
        ),
        cause=Cause(record.workspace_id, "service:scheduler", _trace(id, due, deps)),
    )


def _trace(slot_id: str, due: Due, deps: Deps) -> str:
    """A run that nobody asked for begins a trace of its own; a commit tried again begins the same."""
    tracer, traceparent = deps.tracer, deps.tracer.begin(slot_id)
    tracer.record("slot", traceparent, "", round(due.at.timestamp()) * 10**9, tracer.now_ns(), {})
    return traceparent


def on_run_started(event: RunStarted, tx: Tx, deps: Deps) -> None:
    if event.kind != "scheduled":
        return
    slot = repository.find_slot(tx, event.run_id)
    if slot is None:
        raise NotYet("The slot is not known yet.")
    late = deps.clock.now() - moment(slot.at) > ON_TIME
    _settle(tx, slot, "late" if late else "ran", "", deps)


def on_run_finished(event: RunFinished, tx: Tx, deps: Deps) -> None:
    """Settles what never started; a slot whose run started is settled already."""
    if event.kind != "scheduled":
        return
    slot = repository.find_slot(tx, event.run_id)
    if slot is None:
        raise NotYet("The slot is not known yet.")
    if event.status == "refused" or event.reason_code in ("overlap", "switched_off"):
        _settle(tx, slot, "skipped", event.reason_text, deps)
    elif event.reason_code == "deadline":
        _settle(tx, slot, "missed", event.reason_text, deps)
    else:
        late = deps.clock.now() - moment(slot.at) > ON_TIME
        _settle(tx, slot, "late" if late else "ran", event.reason_text, deps)


def _settle(
    tx: Tx, slot: Slot, status: Literal["ran", "late", "skipped", "missed"], reason: str, deps: Deps
) -> None:
    if slot.settled_at is None:
        repository.save_slot(tx, slot.but(status=status, reason=reason, settled_at=stamp(deps.clock.now())))


SLOTS = frozenset({"scheduled"})

HANDLERS: Handlers = {
    AgentChanged: Quick(on_agent_changed),
    RunStarted: Quick(on_run_started, kinds=SLOTS),
    RunFinished: Quick(on_run_finished, kinds=SLOTS),
    TimeTicked: Quick(on_time_ticked, once=False),
    DueLeft: Quick(on_due_left),
}
