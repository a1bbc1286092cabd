"""Slots: each moment of a schedule ends as exactly one slot, whenever ticks come and whatever happens between."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from services.scheduler.deps import Deps
from services.scheduler.handlers import HANDLERS
from services.scheduler.model import due_slots
from shared.agentfile.model import Schedule
from shared.agentfile.schedule import next_firings
from shared.bus.port import Received
from shared.clock import FakeClock, moment, stamp
from shared.events.agent import AgentChanged
from shared.events.clock import TimeTicked
from shared.events.run import RunFinished, RunKind, RunRequested, RunStarted
from shared.events.schedule import DueLeft
from shared.records.scheduler import Slot
from shared.store.port import Cause, Tx
from shared.telemetry.trace import Tracer
from tests.unit.desk import Desk

START = datetime(2026, 1, 5, 0, 30, tzinfo=UTC)
ACK = Received("ack")
HOURLY = Schedule(cron="0 * * * *", missed="skip")


def at(folder: Path, start: datetime = START) -> Desk:
    return Desk(folder, "scheduler", HANDLERS, lambda desk: Deps(desk.clock, Tracer()), FakeClock(start))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = at(tmp_path)
    yield made
    made.close()


def changed(revision: int, schedule: Schedule | None = HOURLY, **more: Any) -> AgentChanged:
    return AgentChanged(
        conversation_id="conv_1",
        grant_id="grant_1",
        schedule=schedule,
        revision=f"{revision:06d}",
        **{"agent_id": "agent_1", "enabled": True, "version_id": "ver_1", **more},
    )


def tick(desk: Desk, **forward: float) -> None:
    desk.clock.advance(**forward)
    assert desk.hears(TimeTicked(at=stamp(desk.clock.now()))) == ACK


def slots(desk: Desk) -> dict[str, str]:
    """status by time, oldest first."""
    found = [Slot.from_doc(data) for data in desk.documents("slots").values()]
    return {slot.at: slot.status for slot in sorted(found, key=lambda slot: slot.at)}


def hours(*numbers: int, day: int = 5) -> list[str]:
    return [stamp(datetime(2026, 1, day, hour, tzinfo=UTC)) for hour in numbers]


def next_at(desk: Desk) -> str | None:
    found: str | None = desk.documents("schedules")["agent_1"]["next_at"]
    return found


def started(run_id: str, kind: RunKind = "scheduled") -> RunStarted:
    return RunStarted(run_id=run_id, agent_id="agent_1", kind=kind, attempt=1)


def finished(run_id: str, status: str = "succeeded", code: str = "", text: str = "") -> RunFinished:
    return RunFinished(
        run_id=run_id,
        agent_id="agent_1",
        version_id="ver_1",
        kind="scheduled",
        conversation_id=None,
        status=status,
        outcome="pending",
        reason_code=code,
        reason_text=text,
    )


def test_a_due_slot_asks_for_a_run_under_its_own_id(desk: Desk) -> None:
    desk.hears(changed(1, tokens_per_run=7))
    tick(desk, minutes=29)
    assert slots(desk) == {}
    tick(desk, minutes=1)
    ((id, slot),) = desk.documents("slots").items()
    (asked,) = desk.said(RunRequested)
    assert (asked.run_id, asked.slot_at, asked.kind, asked.tokens) == (id, slot["at"], "scheduled", 7)
    assert (asked.version_id, asked.grant_id, asked.overlap) == ("ver_1", "grant_1", "skip")
    assert moment(asked.deadline_at) - desk.clock.now() == timedelta(hours=1)
    assert next_at(desk) == hours(2)[0]


def test_one_slot_is_one_run_however_many_ticks_see_it(desk: Desk) -> None:
    desk.hears(changed(1))
    tick(desk, minutes=30)
    for _ in range(5):
        tick(desk, seconds=1)
    assert len(desk.said(RunRequested)) == 1


def test_a_slot_is_not_made_again_when_the_clock_was_set_back(desk: Desk) -> None:
    desk.hears(changed(1))
    tick(desk, minutes=31)
    desk.clock.set(START)
    desk.hears(changed(2, Schedule(cron="0 * * * *", missed="all")))
    tick(desk, minutes=31)
    assert list(slots(desk)) == hours(1)
    assert len(desk.said(RunRequested)) == 1


@pytest.mark.parametrize(
    ("missed", "verdicts"),
    [
        ("skip", ["missed", "missed", "missed"]),
        ("once", ["skipped", "skipped", "requested"]),
        ("all", ["requested", "requested", "requested"]),
    ],
)
def test_slots_nobody_could_run_follow_what_was_chosen(desk: Desk, missed: str, verdicts: list[str]) -> None:
    desk.hears(changed(1, Schedule.model_validate({"cron": "0 * * * *", "missed": missed})))
    tick(desk, hours=2, minutes=45)
    assert slots(desk) == dict(zip(hours(1, 2, 3), verdicts, strict=True))
    assert len(desk.said(RunRequested)) == verdicts.count("requested")
    unsettled = [data["at"] for data in desk.documents("slots").values() if data["settled_at"] is None]
    assert len(unsettled) == verdicts.count("requested")


@pytest.mark.parametrize("missed", ["skip", "once", "all"])
def test_the_slot_of_this_minute_runs_whatever_was_chosen_for_missed_ones(desk: Desk, missed: str) -> None:
    desk.hears(changed(1, Schedule.model_validate({"cron": "0 * * * *", "missed": missed})))
    tick(desk, hours=1, minutes=31)
    assert slots(desk)[hours(2)[0]] == "requested"


def test_what_was_due_while_it_was_off_is_no_slot(desk: Desk) -> None:
    desk.hears(changed(1))
    desk.hears(changed(2, enabled=False))
    tick(desk, hours=3)
    assert next_at(desk) is None
    desk.hears(changed(3))
    assert next_at(desk) == hours(4)[0]
    tick(desk, hours=1)
    assert list(slots(desk)) == hours(4)


def test_a_late_fact_about_an_agent_changes_nothing(desk: Desk) -> None:
    desk.hears(changed(2, enabled=False))
    assert desk.hears(changed(1)) == ACK
    tick(desk, hours=2)
    assert slots(desk) == {}
    assert desk.documents("schedules")["agent_1"]["enabled"] is False


def test_a_new_version_keeps_the_slot_that_is_due_and_a_new_schedule_counts_from_now(desk: Desk) -> None:
    desk.hears(changed(1))
    desk.clock.advance(minutes=31)
    desk.hears(changed(2, version_id="ver_2"))
    assert next_at(desk) == hours(1)[0]
    desk.hears(changed(3, Schedule(cron="30 * * * *")))
    assert next_at(desk) == stamp(datetime(2026, 1, 5, 1, 30, tzinfo=UTC))


@pytest.mark.parametrize("gone", [{"deleted": True}, {"schedule": None}])
def test_nothing_is_due_any_more_when_agent_or_schedule_is_gone(desk: Desk, gone: dict[str, Any]) -> None:
    desk.hears(changed(1))
    desk.hears(changed(2, **gone))
    tick(desk, hours=3)
    assert slots(desk) == {}


def test_a_schedule_that_ends_has_no_next_slot(desk: Desk) -> None:
    desk.hears(changed(1, Schedule(cron="0 * * * *", until="2026-01-05T01:30:00+00:00")))
    tick(desk, minutes=30)
    assert list(slots(desk)) == hours(1)
    assert next_at(desk) is None


def test_hundreds_of_slots_are_made_tick_by_tick_and_only_the_newest_runs(desk: Desk) -> None:
    desk.hears(changed(1, Schedule(cron="0 * * * *", missed="once")))
    desk.clock.advance(hours=450)
    for _ in range(4):
        tick(desk)
    statuses = list(slots(desk).values())
    assert len(statuses) == 450
    assert statuses.count("requested") == 1
    assert statuses[-1] == "requested"


def crowd(folder: Path, agents: int) -> Desk:
    """So many agents with the same schedule."""
    desk = at(folder)
    desk.hears(changed(1))
    (one,) = desk.documents("schedules").values()

    def copies(tx: Tx) -> None:
        for number in range(2, agents + 1):
            id = f"agent_{number}"
            tx.put("schedules", id, {**one, "id": id, "agent_id": id})

    desk.store.transact(copies, cause=Cause("", "service:scheduler"))
    return desk


@pytest.mark.parametrize("agents", [1, 100, 101, 1000, 1001, 2345])
def test_one_tick_makes_every_slot_that_is_due_however_many(tmp_path: Path, agents: int) -> None:
    desk = crowd(tmp_path, agents)
    tick(desk, minutes=30)

    told = 0
    while len(desk.said(DueLeft)) > told:  # in any order, and each twice
        waiting = desk.said(DueLeft)[told:]
        told += len(waiting)
        random.Random(agents).shuffle(waiting)
        for event in waiting * 2:
            assert desk.hears(event) == ACK

    asked = desk.said(RunRequested)
    assert len(asked) == len({run.run_id for run in asked}) == agents
    assert {data["next_at"] for data in desk.documents("schedules").values()} == set(hours(2))
    desk.close()


def test_pages_that_another_tick_made_meanwhile_make_nothing(tmp_path: Path) -> None:
    desk = crowd(tmp_path, 250)
    tick(desk, minutes=30)
    tick(desk)
    tick(desk)
    for event in desk.said(DueLeft):
        assert desk.hears(event) == ACK

    assert len(desk.said(RunRequested)) == 250
    desk.close()


@pytest.mark.parametrize(("after_s", "status"), [(60, "ran"), (61, "late")])
def test_a_run_that_starts_settles_its_slot(desk: Desk, after_s: int, status: str) -> None:
    desk.hears(changed(1))
    tick(desk, minutes=30)
    (id,) = desk.documents("slots")
    desk.clock.advance(seconds=after_s)
    desk.hears(started(id))
    assert list(slots(desk).values()) == [status]


@pytest.mark.parametrize(
    ("status", "code", "becomes"),
    [
        ("refused", "budget", "skipped"),
        ("refused", "overlap", "skipped"),
        ("refused", "switched_off", "skipped"),
        ("timed_out", "deadline", "missed"),
        ("failed", "unstartable", "ran"),
    ],
)
def test_a_run_that_never_started_settles_its_slot_with_its_reason(
    desk: Desk, status: str, code: str, becomes: str
) -> None:
    desk.hears(changed(1))
    tick(desk, minutes=30)
    (id,) = desk.documents("slots")
    desk.hears(finished(id, status, code, "왜냐하면"))
    ((slot),) = desk.documents("slots").values()
    assert (slot["status"], slot["reason"]) == (becomes, "왜냐하면")
    assert slot["settled_at"] == stamp(desk.clock.now())


def test_the_first_word_about_a_slot_stands(desk: Desk) -> None:
    desk.hears(changed(1))
    tick(desk, minutes=30)
    (id,) = desk.documents("slots")
    desk.hears(started(id))
    desk.clock.advance(hours=1)
    desk.hears(finished(id, "refused", "overlap"))
    desk.hears(started(id))
    assert next(iter(slots(desk).values())) == "ran"


def test_facts_about_a_slot_that_is_not_known_wait_and_other_runs_are_none_of_it(desk: Desk) -> None:
    assert desk.hears(started("run_x")).verdict == "retry"
    assert desk.hears(finished("run_x")).verdict == "retry"
    assert desk.hears(started("run_x", "manual")) == ACK
    assert slots(desk) == {}


def test_the_hour_that_comes_twice_fires_once_and_the_one_that_is_missing_still_fires(tmp_path: Path) -> None:
    """Berlin, 2026: 29 March has no 02:30, 25 October has it twice."""
    nightly = Schedule(cron="30 2 * * *", timezone="Europe/Berlin", missed="all")
    for day in (datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)):
        folder = tmp_path / day.strftime("%m")
        folder.mkdir()
        desk = at(folder, day)
        desk.hears(changed(1, nightly))
        for _ in range(48):
            tick(desk, minutes=30)
        assert len(slots(desk)) == 1, day
        desk.close()


HOUR_S = 3600
CRONS = {  # with seconds that pass between two of its moments
    "*/7 * * * *": 420,
    "0 * * * *": HOUR_S,
    "30 2 * * *": 24 * HOUR_S,
    "15 9 * * 1-5": 24 * HOUR_S,
    "0 0 1 * *": 720 * HOUR_S,
}
ZONES = ["UTC", "Asia/Seoul", "Europe/Berlin", "America/New_York"]
SEASONS = [datetime(2026, 3, 27, tzinfo=UTC), datetime(2026, 10, 23, tzinfo=UTC), START]


@settings(max_examples=40, phases=[Phase.generate])  # a seed has nothing to shrink
@given(
    seed=st.integers(0, 2**32),
    cron=st.sampled_from(sorted(CRONS)),
    zone=st.sampled_from(ZONES),
    missed=st.sampled_from(["skip", "once", "all"]),
    start=st.sampled_from(SEASONS),
)
def test_every_moment_is_exactly_one_slot_whenever_ticks_come(
    seed: int, cron: str, zone: str, missed: str, start: datetime
) -> None:
    dice = random.Random(seed)
    schedule = Schedule.model_validate({"cron": cron, "timezone": zone, "missed": missed})
    with TemporaryDirectory() as folder:
        desk = at(Path(folder), start)
        desk.hears(changed(1, schedule))
        ticked = []
        for _ in range(20):
            tick(desk, seconds=dice.choice([0, 1, 59, 61, CRONS[cron], 6 * CRONS[cron]]) * dice.random() * 2)
            ticked.append(desk.clock.now())
        for _ in range(20):
            tick(desk)  # hundreds of slots take several commits
        end = desk.clock.now()
        wanted, after = [], start
        while (found := next_firings(schedule, after, 1)) and found[0] <= end:
            after = found[0]
            wanted.append(stamp(after))
        assert list(slots(desk)) == wanted
        asked = [event.slot_at for event in desk.said(RunRequested)]
        assert len(asked) == len(set(asked)), "no slot asks twice"
        assert asked == [at for at, status in slots(desk).items() if status == "requested"]
        for at_, status in slots(desk).items():
            seen = next(moment_ for moment_ in ticked if moment_ >= moment(at_))
            if missed == "all" or seen - moment(at_) <= timedelta(seconds=60):
                assert status == "requested"
            elif missed == "skip":
                assert status == "missed"
        assert set(slots(desk).values()) <= {"requested", "missed" if missed == "skip" else "skipped"}
        desk.close()


@settings(max_examples=40, phases=[Phase.generate])  # a seed has nothing to shrink
@given(seed=st.integers(0, 2**32))
def test_switching_in_any_order_ends_as_the_newest_fact_says(seed: int) -> None:
    dice = random.Random(seed)
    facts = [
        changed(n, dice.choice([HOURLY, Schedule(cron="*/5 * * * *"), None]), enabled=dice.random() < 0.7)
        for n in range(1, 9)
    ]
    heard = facts * 2
    dice.shuffle(heard)
    with TemporaryDirectory() as folder:
        desk = at(Path(folder))
        for fact in heard:
            desk.hears(fact)
            tick(desk, minutes=dice.choice([0, 3, 40]))
        newest = facts[-1]
        records = desk.documents("schedules")
        on = newest.enabled and newest.schedule is not None
        assert (bool(records) and records["agent_1"]["enabled"]) == on
        before = len(slots(desk))
        tick(desk, hours=5)
        assert (len(slots(desk)) > before) == on
        desk.close()


def test_only_the_newest_of_a_long_gap_runs_when_the_gap_is_longer_than_one_look() -> None:
    every = Schedule(cron="* * * * *", missed="once")
    first = datetime(2026, 1, 1, tzinfo=UTC)
    verdicts, following = due_slots(every, first, first + timedelta(days=1))
    assert {due.verdict for due in verdicts} == {"skipped"}
    assert following == verdicts[-1].at + timedelta(minutes=1)
