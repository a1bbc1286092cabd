"""When an agent fires: validation and the next slots of a schedule, in UTC.

Daylight saving, in `next_firings`: a wall-clock slot happens exactly once. A time that does not exist that
day fires right after the gap, a time that exists twice fires the first time, two slots in one gap are one.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from shared.agentfile.holidays import countries, is_holiday
from shared.agentfile.model import Language, Schedule
from shared.errors import BadRequest

# The longest clock change (Lord Howe and Troll are shorter), so that a slot inside a gap is not skipped.
_LONGEST_GAP = timedelta(hours=3)
# The longest run of days off in any table plus weekends: how far a slot may be moved to the next workday.
_LONGEST_MOVE = timedelta(days=14)
# A fixed start: whether a schedule can fire at all must not depend on when it is asked.
_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)
_MAX_CRON = 100
_WEEKEND = 5


class Fields(NamedTuple):
    """A cron expression, field by field, upper case."""

    minute: str
    hour: str
    day: str
    month: str
    weekday: str


def next_firings(schedule: Schedule, after: datetime, count: int) -> list[datetime]:
    """The first `count` slots strictly later than `after` (aware), in UTC, rising, each once; fewer when the
    schedule ends. The answer for a later `after` is a tail of the answer for an earlier one."""
    return list(islice(firings(schedule, after), count))


def firings(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    """As `next_firings`, without an end of its own."""
    zone = zone_of(schedule.timezone)
    pause = _boundary(schedule.pause_until, zone, end_of_day=False)
    if pause is not None and pause > after:
        after = pause - timedelta(microseconds=1)
    until = _boundary(schedule.until, zone, end_of_day=True)
    last = after.astimezone(UTC)
    for slot in _with_holidays(schedule, zone, last):
        if until is not None and slot > until:
            return
        if slot > last:
            last = slot
            yield slot


def fields_of(cron: str) -> Fields:
    """Raises ValueError when there are not five fields."""
    parts = cron.upper().split()
    if len(parts) != 5:
        raise ValueError(f"{len(parts)} fields")
    return Fields(*parts)


def check_schedule(schedule: Schedule, language: Language = "ko", after: datetime | None = None) -> None:
    """Raises BadRequest when the schedule can never fire, `fields` naming the key at fault.

    `after`: also refuse a schedule whose end lies before it.
    """
    problems = dict(_problems(schedule, language))
    if not problems and after is not None and not next_firings(schedule, after, 1):
        ko = "이 일정은 이미 끝났거나 한 번도 실행되지 않아요. 끝나는 날을 고쳐 주세요."
        en = "This schedule has ended or never fires. Change its end date."
        problems["schedule.until"] = ko if language == "ko" else en
    if problems:
        raise BadRequest(next(iter(problems.values())), code="bad_schedule", fields=problems)


def zone_of(name: str) -> ZoneInfo:
    """Raises ValueError for what is not an IANA name such as "Asia/Seoul" or "UTC"."""
    # "localtime", "posix/…" and "right/…" exist on some machines and mean something else on others.
    if not re.fullmatch(r"UTC|(?!posix/|right/)[A-Za-z_]+(/[A-Za-z0-9_+-]+)+", name):
        raise ValueError(name)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(name) from error


def _wall_or_elapsed(cron: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """Slots without holidays, ends or pauses; may begin before `after` and may repeat.

    A schedule of every hour counts elapsed time (an hour that comes twice has its slots twice, they are
    different moments); any other is read off the wall clock.
    """
    fields = fields_of(cron)
    local = after.astimezone(zone)
    if _every_hour(fields.hour):
        text = " ".join(fields._replace(hour="*"))
        yield from (slot.astimezone(UTC) for slot in CronSim(text, local.replace(second=0, microsecond=0)))
        return
    start = (local.replace(tzinfo=None) - _LONGEST_GAP).replace(second=0, microsecond=0)
    yield from (_moment(wall, zone) for wall in CronSim(" ".join(fields), start))


def _every_hour(hour: str) -> bool:
    return hour in ("*", "*/1", "0-23", "0-23/1")


def _moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """UTC of a wall time: its first occurrence, or the first moment after the gap it falls in."""
    while True:
        moment = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None) == wall:
            return moment
        wall += timedelta(minutes=1)


def _with_holidays(schedule: Schedule, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """Rising slots with `on_holiday` applied. Moved slots keep their wall time."""
    country, rule = schedule.holidays, schedule.on_holiday or "skip"
    if country is None or rule == "run":
        yield from _wall_or_elapsed(schedule.cron, zone, after)
        return
    begin = after - _LONGEST_MOVE if rule == "next_workday" else after
    moved: list[datetime] = []
    for slot in _wall_or_elapsed(schedule.cron, zone, begin):
        while moved and moved[0] <= slot:
            yield heapq.heappop(moved)
        wall = slot.astimezone(zone).replace(tzinfo=None)
        if not is_holiday(country, wall.date()):
            yield slot
        elif rule == "next_workday":
            target = datetime.combine(_next_workday(country, wall.date()), wall.time())
            heapq.heappush(moved, _moment(target, zone))
    while moved:
        yield heapq.heappop(moved)


def _next_workday(country: str, day: date) -> date:
    while day.weekday() >= _WEEKEND or is_holiday(country, day):
        day += timedelta(days=1)
    return day


def _boundary(text: str | None, zone: ZoneInfo, *, end_of_day: bool) -> datetime | None:
    """An ISO date or time as a moment. A date stands for its first, or with `end_of_day` its last, moment."""
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    if end_of_day and len(text) <= len("2026-12-31"):
        moment = moment + timedelta(days=1) - timedelta(microseconds=1)
    return moment.astimezone(UTC)


def _problems(schedule: Schedule, language: Language) -> Iterator[tuple[str, str]]:
    ko = language == "ko"
    cron = _cron_problem(schedule.cron)
    if cron is not None:
        yield "schedule.cron", cron[0] if ko else cron[1]
    zone = None
    try:
        zone = zone_of(schedule.timezone)
    except ValueError:
        shown = schedule.timezone[:60]
        yield (
            "schedule.timezone",
            f"'{shown}' 시간대를 몰라요. 'Asia/Seoul'처럼 적어 주세요."
            if ko
            else f"Unknown time zone '{shown}'. Write it like 'Asia/Seoul'.",
        )
    for key in ("until", "pause_until"):
        try:
            _boundary(getattr(schedule, key), zone or ZoneInfo("UTC"), end_of_day=False)
        except (ValueError, OverflowError):
            yield (
                f"schedule.{key}",
                "날짜를 '2026-12-31'처럼 적어 주세요." if ko else "Write a date like '2026-12-31'.",
            )
    if schedule.holidays is not None and schedule.holidays not in countries():
        known = ", ".join(countries())
        yield (
            "schedule.holidays",
            f"아는 공휴일 달력은 {known}이에요." if ko else f"The holiday calendars there are: {known}.",
        )
    if schedule.holidays is None and schedule.on_holiday is not None:
        yield (
            "schedule.holidays",
            "어느 나라 공휴일인지 적어 주세요. 예: KR" if ko else "Say which country's holidays, such as KR.",
        )


def _cron_problem(cron: str) -> tuple[str, str] | None:
    """Korean and English sentence about what is wrong with a cron text; None when it fires some day."""
    shown = cron[:60]
    parts = cron.split()
    if len(parts) == 6:
        return (
            "1분보다 자주 실행할 수는 없어요. 칸을 다섯 개만 적어 주세요(분 시 일 월 요일).",
            "Nothing runs more often than every minute. Use five fields (minute hour day month weekday).",
        )
    if len(parts) != 5 or len(cron) > _MAX_CRON or not cron.isascii():
        return (
            f"'{shown}'을(를) 읽을 수 없어요. '0 9 * * *'처럼 다섯 칸으로 적어 주세요(분 시 일 월 요일).",
            f"'{shown}' cannot be read. Use five fields like '0 9 * * *' (minute hour day month weekday).",
        )
    try:
        next(CronSim(cron, _SOME_DAY))
    except StopIteration:
        return _never(shown)
    except (CronSimError, ValueError) as error:
        bad = _FIELD_NAMES.get(str(error))
        if bad is None or (bad[2] == "day" and _day_exists(parts[2])):
            return _never(shown)
        return (
            f"'{shown}': {bad[0]} 칸이 잘못됐어요. {bad[1]} 안에서 적어 주세요.",
            f"'{shown}': the {bad[2]} field is wrong. Use {bad[1]}.",
        )
    return None


def _never(shown: str) -> tuple[str, str]:
    return (
        f"'{shown}'은(는) 달력에 없는 날이라 한 번도 실행되지 않아요. 날짜를 바꿔 주세요.",
        f"'{shown}' names a day that never comes. Change the date.",
    )


_FIELD_NAMES = {
    "Bad minute": ("분", "0–59", "minute"),
    "Bad hour": ("시", "0–23", "hour"),
    "Bad day-of-month": ("일", "1–31", "day"),
    "Bad month": ("월", "1–12", "month"),
    "Bad day-of-week": ("요일", "0–7", "weekday"),
}


def _day_exists(day: str) -> bool:
    """Whether the day field is right by itself, so that only its combination with the month is impossible."""
    try:
        CronSim(f"0 0 {day} * *", _SOME_DAY)
    except (CronSimError, ValueError):
        return False
    return True
