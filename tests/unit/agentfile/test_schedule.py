"""When schedules fire: once per slot, in every zone, over clock changes, holidays, pauses and ends."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.agentfile.describe import describe, describe_rules
from shared.agentfile.holidays import is_holiday, known_until
from shared.agentfile.model import Language, Schedule
from shared.agentfile.schedule import check_schedule, next_firings
from shared.errors import BadRequest

ZONES = [
    "UTC",
    "Asia/Seoul",
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Pacific/Chatham",
    "Antarctica/Troll",
    "America/Santiago",
]
CRONS = [
    "0 9 * * *",
    "0,30 2 * * *",
    "0 2,3 * * *",
    "*/15 1-3 * * *",
    "0 */2 * * *",
    "15 * * * *",
    "30 1 * * 0",
    "59 23 L * *",
]


def local(schedule: Schedule, after: str, count: int) -> list[str]:
    zone = ZoneInfo(schedule.timezone)
    moments = next_firings(schedule, datetime.fromisoformat(after), count)
    return [f"{moment.astimezone(zone):%m-%d %H:%M}" for moment in moments]


@given(
    st.sampled_from(ZONES),
    st.sampled_from(CRONS),
    st.integers(0, 3 * 365 * 24 * 60),
    st.sampled_from([None, "skip", "next_workday"]),
)
@settings(max_examples=150, deadline=None)
def test_slots_rise_and_none_repeats_when_clocks_change(
    zone: str, cron: str, start: int, rule: str | None
) -> None:
    schedule = Schedule.model_validate(
        {"cron": cron, "timezone": zone, "holidays": "KR" if rule else None, "on_holiday": rule}
    )
    after = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=start)
    slots = next_firings(schedule, after, 12)
    assert len(slots) == 12
    assert slots[0] > after
    assert all(early < late for early, late in pairwise(slots))
    assert all(slot.tzinfo is UTC and slot.second == 0 for slot in slots)
    assert next_firings(schedule, slots[4], 7) == slots[5:]


@given(st.sampled_from(ZONES), st.integers(0, 23), st.integers(0, 59), st.integers(2026, 2030))
@settings(max_examples=40, deadline=None)
def test_a_daily_slot_happens_once_on_every_day_when_a_year_passes(
    zone: str, hour: int, minute: int, year: int
) -> None:
    schedule = Schedule(cron=f"{minute} {hour} * * *", timezone=zone)
    start = datetime(year, 1, 1, tzinfo=ZoneInfo(zone)) - timedelta(microseconds=1)
    slots = next_firings(schedule, start, 364)
    days = [slot.astimezone(ZoneInfo(zone)).date() for slot in slots]
    assert days == [date(year, 1, 1) + timedelta(days=n) for n in range(364)]


def test_a_slot_fires_right_after_the_gap_when_its_time_does_not_exist() -> None:
    schedule = Schedule(cron="30 2 * * *", timezone="America/New_York")
    assert local(schedule, "2026-03-07T12:00:00+00:00", 2) == ["03-08 03:00", "03-09 02:30"]


def test_two_slots_are_one_when_both_fall_into_the_same_gap() -> None:
    schedule = Schedule(cron="0,30 2 * * *", timezone="America/New_York")
    assert local(schedule, "2026-03-07T12:00:00+00:00", 3) == ["03-08 03:00", "03-09 02:00", "03-09 02:30"]


def test_a_slot_fires_the_first_time_when_its_time_exists_twice() -> None:
    schedule = Schedule(cron="30 1 * * *", timezone="America/New_York")
    slots = next_firings(schedule, datetime(2026, 10, 31, 12, tzinfo=UTC), 2)
    assert slots == [datetime(2026, 11, 1, 5, 30, tzinfo=UTC), datetime(2026, 11, 2, 6, 30, tzinfo=UTC)]


def test_every_real_hour_counts_when_the_schedule_is_hourly() -> None:
    schedule = Schedule(cron="0 * * * *", timezone="America/New_York")
    slots = next_firings(schedule, datetime(2026, 11, 1, 3, 30, tzinfo=UTC), 5)
    assert [slot.hour for slot in slots] == [4, 5, 6, 7, 8]


def test_holidays_are_left_out_when_the_rule_is_skip() -> None:
    schedule = Schedule(cron="0 9 * * 1-5", timezone="Asia/Seoul", holidays="KR", on_holiday="skip")
    assert local(schedule, "2026-09-22T12:00:00+00:00", 3) == ["09-23 09:00", "09-28 09:00", "09-29 09:00"]


def test_a_slot_moves_past_holidays_and_weekend_when_the_rule_is_next_workday() -> None:
    schedule = Schedule(cron="0 9 1 * *", timezone="Asia/Seoul", holidays="KR", on_holiday="next_workday")
    assert local(schedule, "2026-02-27T12:00:00+00:00", 3) == ["03-03 09:00", "04-01 09:00", "05-04 09:00"]


def test_a_moved_slot_is_one_with_the_slot_already_there_when_both_have_its_time() -> None:
    schedule = Schedule(cron="0 9 * * *", timezone="Asia/Seoul", holidays="KR", on_holiday="next_workday")
    assert local(schedule, "2027-02-04T12:00:00+00:00", 3) == ["02-05 09:00", "02-10 09:00", "02-11 09:00"]


def test_it_runs_on_every_day_when_the_table_has_ended() -> None:
    assert known_until("KR") == date(2028, 12, 31)
    schedule = Schedule(cron="0 9 * * *", timezone="Asia/Seoul", holidays="KR", on_holiday="skip")
    assert local(schedule, "2029-04-30T12:00:00+00:00", 1) == ["05-01 09:00"]
    assert "2028" in describe_rules(schedule, "ko")[-1]


@pytest.mark.parametrize(
    "day", ["2026-09-25", "2026-10-05", "2027-02-09", "2027-12-27", "2028-10-05", "2026-05-01"]
)
def test_the_day_is_off_when_the_calendar_says_so(day: str) -> None:
    assert is_holiday("KR", date.fromisoformat(day))
    assert not is_holiday("XX", date.fromisoformat(day))


def test_slots_end_with_their_last_day_when_until_is_a_date() -> None:
    schedule = Schedule(cron="0 9 * * *", timezone="Asia/Seoul", until="2026-01-03")
    assert local(schedule, "2026-01-01T12:00:00+00:00", 9) == ["01-02 09:00", "01-03 09:00"]


def test_slots_begin_on_that_day_when_paused_until_a_date() -> None:
    schedule = Schedule(cron="0 0 * * *", timezone="Asia/Seoul", pause_until="2026-01-10")
    assert local(schedule, "2026-01-01T12:00:00+00:00", 2) == ["01-10 00:00", "01-11 00:00"]


@pytest.mark.parametrize(
    "cron",
    [
        "0 0 30 2 *",
        "0 0 31 4,6 *",
        "61 * * * *",
        "* 24 * * *",
        "* * * * * *",
        "@daily",
        "",
        "0 9",
        "0 9 * * 8",
        "0 0 0 * *",
        "*/0 * * * *",
        "a b c d e",
        "0 9 * 13 *",
        "9" * 5000 + " * * * *",
        "٣ * * * *",
        "0 9 1#1 * *",
        "0 9 * * 1#6",
        "0 9 * * L",
    ],
)
def test_a_sentence_refuses_when_a_cron_can_never_fire(cron: str) -> None:
    with pytest.raises(BadRequest) as caught:
        check_schedule(Schedule(cron=cron))
    assert "schedule.cron" in caught.value.fields


def test_a_leap_day_is_accepted_when_it_comes_only_every_four_years() -> None:
    check_schedule(Schedule(cron="0 0 29 2 *"))


@given(st.text(alphabet="0123456789*/,-#LW MONJAN", max_size=30))
@settings(max_examples=150, deadline=None)
def test_a_cron_fires_when_it_was_accepted(cron: str) -> None:
    schedule = Schedule(cron=cron, timezone="Asia/Seoul")
    try:
        check_schedule(schedule)
    except BadRequest:
        return
    assert next_firings(schedule, datetime(2026, 1, 1, tzinfo=UTC), 1)
    assert describe(schedule, "ko")
    assert describe(schedule, "en")


@pytest.mark.parametrize(
    "zone",
    ["", "Seoul", "KST", "localtime", "posix/Asia/Seoul", "right/UTC", "../etc/passwd", "Asia", "/UTC"],
)
def test_a_zone_is_refused_when_it_is_no_name_of_the_tz_database(zone: str) -> None:
    with pytest.raises(BadRequest) as caught:
        check_schedule(Schedule(cron="0 9 * * *", timezone=zone))
    assert "schedule.timezone" in caught.value.fields


def test_a_schedule_is_refused_when_it_has_already_ended() -> None:
    ended = Schedule(cron="0 9 * * *", until="2026-01-01")
    check_schedule(ended)
    with pytest.raises(BadRequest):
        check_schedule(ended, after=datetime(2026, 6, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("cron", "language", "words"),
    [
        ("0 9 * * *", "ko", "매일 09:00 · 서울"),
        ("30 18 * * 1-5", "ko", "평일 18:30 · 서울"),
        ("0 8 1 * *", "ko", "매달 1일 08:00 · 서울"),
        ("0 8 * * MON", "en", "Every Monday 08:00 · Seoul"),
        ("0 9,18 * * *", "ko", "매일 09:00, 18:00 · 서울"),
        ("*/15 * * * *", "en", "Every 15 minutes · Seoul"),
        ("0 9-18 * * 1-5", "ko", "평일 09:00–18:00 매시간 · 서울"),
        ("0 8 * * 5L", "en", "The last Friday of each month 08:00 · Seoul"),
        ("0 9 1 1 1", "en", "Custom rule (0 9 1 1 1) · Seoul"),
    ],
)
def test_a_schedule_is_said_in_words_when_people_read_it(cron: str, language: Language, words: str) -> None:
    assert describe(Schedule(cron=cron, timezone="Asia/Seoul"), language) == words


def test_every_rule_has_its_sentence_when_it_is_set() -> None:
    schedule = Schedule(
        cron="0 9 * * *",
        missed="all",
        overlap="queue",
        holidays="KR",
        until="2026-12-31",
        pause_until="2026-12-01",
    )
    assert len(describe_rules(schedule, "ko")) == len(describe_rules(schedule, "en")) == 6
