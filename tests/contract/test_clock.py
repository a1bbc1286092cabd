"""What shared/clock.py promises, for the real clock and the one of tests; ids beside it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import Clock, FakeClock, SystemClock, moment, stamp
from shared.ids import Ids, RandomIds, SeededIds, derived

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Text order is time order for years of four digits.
moments = st.integers(-30_000_000_000, 250_000_000_000).flatmap(
    lambda s: st.integers(0, 999_999).map(lambda us: EPOCH + timedelta(seconds=s, microseconds=us))
)


@pytest.fixture(params=[SystemClock, FakeClock])
def clock(request: pytest.FixtureRequest) -> Clock:
    made: Clock = request.param()
    return made


def test_now_is_aware_and_in_utc(clock: Clock) -> None:
    assert clock.now().utcoffset() == timedelta(0)


def test_monotonic_never_goes_back(clock: Clock) -> None:
    readings = [clock.monotonic() for _ in range(1000)]
    assert readings == sorted(readings)


def test_wait_is_true_when_the_event_is_set(clock: Clock) -> None:
    event = threading.Event()
    event.set()
    assert clock.wait(event, 3600)


def test_wait_is_false_when_the_time_passes_first(clock: Clock) -> None:
    assert not clock.wait(threading.Event(), 0.001)


def test_wait_ends_when_another_thread_sets_the_event(clock: Clock) -> None:
    event = threading.Event()
    timer = threading.Timer(0, event.set)
    timer.start()
    while not clock.wait(event, 30):
        pass
    timer.join()


def test_the_fake_clock_moves_only_when_told() -> None:
    clock = FakeClock()
    before = (clock.now(), clock.monotonic())
    clock.wait(threading.Event(), 60)
    assert (clock.now(), clock.monotonic()) == before
    clock.advance(days=1, hours=1, minutes=1, seconds=1.5)
    assert clock.now() - before[0] == timedelta(days=1, hours=1, minutes=1, seconds=1.5)
    assert clock.monotonic() - before[1] == pytest.approx(90061.5)


@given(moments)
def test_a_stamp_turns_back_into_its_moment(at: datetime) -> None:
    assert moment(stamp(at)) == at


@given(moments, moments)
def test_stamps_sort_as_their_moments(one: datetime, other: datetime) -> None:
    assert (stamp(one) < stamp(other)) == (one < other)


@given(moments, st.integers(-14 * 60, 14 * 60))
def test_a_stamp_is_the_same_when_the_moment_is_told_in_another_zone(at: datetime, minutes: int) -> None:
    assert stamp(at.astimezone(timezone(timedelta(minutes=minutes)))) == stamp(at)


@pytest.mark.parametrize("ids", [RandomIds(), SeededIds()], ids=["random", "seeded"])
def test_ids_never_repeat_and_name_their_kind(ids: Ids) -> None:
    made = [ids.new("run") for _ in range(5000)]
    assert len(set(made)) == 5000
    assert all(id.startswith("run_") and len(id) == 28 and id == id.lower() for id in made)
    assert len({ids.token() for _ in range(1000)}) == 1000


def test_a_derived_id_follows_from_its_parts_and_from_nothing_else() -> None:
    assert derived("slot", "a", "b") == derived("slot", "a", "b")
    assert len({derived("slot", *parts) for parts in (("a", "b"), ("ab",), ("b", "a"), ("a", "b", ""))}) == 4
