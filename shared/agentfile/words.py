"""A schedule from what a person wrote, in Korean or English. Nothing is guessed in silence: what the words
leave open is asked (`question`), what was assumed is said (`assumed`), what cannot be is refused (`refused`).

What bare numbers mean stands in `phrases/times.py`; which days there are in `phrases/days.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from shared.agentfile.model import Language, Schedule
from shared.agentfile.phrases.days import read_days, refuse_what_cron_cannot
from shared.agentfile.phrases.found import Days, Interval, Refused, Sentences, Span, Time, readable
from shared.agentfile.phrases.intervals import read_interval
from shared.agentfile.phrases.places import read_holiday_rule, read_zone
from shared.agentfile.phrases.times import clock, lone_period, read_times

MAX_CHARACTERS = 20_000
# How far an unmarked day ("월요일") may stand from a time and still belong to it, in characters.
_NEAR = 14

_BETWEEN = re.compile(r"(?:에|시)?[\s,·/&]*(?:와|과|하고|이랑|및|그리고|and|or)?[\s,]*(?:at\s+)?")
_UNTIL = re.compile(r"\s*(?:부터|에서|~|-|–|to|until|till)\s*")
_ONCE = re.compile(
    r"내일|모레|오늘|이따가|다음\s*주|한\s*번만|딱\s*한\s*번|\b(?:tomorrow|tonight|today|next\s+week|just\s+once|only\s+once)\b"
)
_WHEN = re.compile(r"에|마다|이면|쯤|경|정각|까지|\s*$")
_TIMES_A_DAY = re.compile(
    r"하루\s*(?:에\s*)?(?P<n>두|세|네|\d+)\s*(?:번|차례|회)|\b(?P<en>twice)\s+(?:a|per)\s+day"
)
_COUNTS = {"두": 2, "세": 3, "네": 4, "twice": 2}


@dataclass(frozen=True)
class ScheduleReading:
    """What a text says about when. Exactly one of `schedule`, `question` and `refused` is set.

    text       the text in NFC; `spans` (start, end) index into it: the words that were read
    missing    what `question` asks for: "time", "days" or "interval"
    assumed    sentences about what was read into the words; to be shown beside the schedule
    """

    text: str
    language: Language
    spans: tuple[Span, ...]
    schedule: Schedule | None = None
    missing: Literal["time", "days", "interval"] | None = None
    question: str | None = None
    refused: str | None = None
    assumed: tuple[str, ...] = ()

    @property
    def rest(self) -> str:
        """The text without the words about when."""
        kept = "".join(" " if any(a <= i < b for a, b in self.spans) else c for i, c in enumerate(self.text))
        return " ".join(kept.split())


def read_schedule(text: str, default_timezone: str) -> ScheduleReading | None:
    """The one schedule in `text`; None when it says nothing about when. Pure, never raises on any text.

    `default_timezone` (IANA) holds unless the text names another.
    """
    plain, low = readable(text[:MAX_CHARACTERS])
    language: Language = "ko" if re.search(r"[가-힣]", plain) else "en"
    pick = 0 if language == "ko" else 1
    try:
        return _read(plain, low, language, default_timezone)
    except _Open as gap:
        return ScheduleReading(plain, language, gap.spans, missing=gap.missing, question=gap.sentences[pick])
    except Refused as refusal:
        return ScheduleReading(plain, language, (), refused=refusal.sentences[pick])


class _Open(Exception):
    """Something is missing: what, the question, and what was read so far."""

    def __init__(
        self, missing: Literal["time", "days", "interval"], question: Sentences, spans: Iterable[Span]
    ) -> None:
        super().__init__(missing)
        self.missing: Literal["time", "days", "interval"] = missing
        self.sentences = question
        self.spans = tuple(sorted(spans))


def _read(plain: str, low: str, language: Language, default_timezone: str) -> ScheduleReading | None:
    whole = low
    for named in (read_zone(whole), read_holiday_rule(whole)):
        # "다음 영업일" of a holiday rule is not a day of the schedule, nor "한국 시간" a time.
        if named is not None:
            a, b = named[1]
            low = low[:a] + " " * (b - a) + low[b:]
    refuse_what_cron_cannot(low)
    interval = read_interval(low)
    times = [t for t in read_times(low) if interval is None or not _overlap(t.span, interval.span)]
    days = _chosen_days(read_days(low), times, low)
    assumed: list[Sentences] = []
    spans: list[Span] = []
    if days is not None:
        spans.append(days.span)
        assumed += [days.assumed] if days.assumed else []
    if interval is not None:
        spans.append(interval.span)
        minute, hour = _with_hours(interval, times, low, spans, assumed)
    else:
        cluster = _cluster(times, days, low)
        if days is None and not _speaks_of_when(cluster, low):
            return None
        minute, hour = _clock_fields(cluster, days, low, spans, assumed)
    if days is None and interval is None:
        raise _Open(
            "days",
            ("매일인가요, 평일인가요? 아니면 무슨 요일인가요?", "Every day, on weekdays, or on which days?"),
            spans,
        )
    if days is not None and days.question is not None:
        raise _Open("days", days.question, spans)
    schedule = _schedule(whole, minute, hour, days, default_timezone, spans)
    pick = 0 if language == "ko" else 1
    said = tuple(dict.fromkeys(sentence[pick] for sentence in assumed))
    return ScheduleReading(plain, language, tuple(sorted(set(spans))), schedule=schedule, assumed=said)


def _schedule(low: str, minute: str, hour: str, days: Days | None, zone: str, spans: list[Span]) -> Schedule:
    """The parts put together, with the zone and the holiday rule the text names."""
    day, month, weekday = (days.day, days.month, days.weekday) if days else ("*", "*", "*")
    named = read_zone(low)
    if named is not None:
        zone = named[0]
        spans.append(named[1])
    rule = read_holiday_rule(low)
    if rule is not None:
        spans.append(rule[1])
    on_holiday = (
        rule[0]
        if rule
        else "skip"
        if days is not None and re.search("영업일|근무일", low[slice(*days.span)])
        else None
    )
    return Schedule(
        cron=f"{minute} {hour} {day} {month} {weekday}",
        timezone=zone,
        holidays="KR" if on_holiday else None,
        on_holiday=on_holiday,
    )


def _chosen_days(found: list[Days], times: list[Time], low: str) -> Days | None:
    """The phrase that says on which days, None without one.

    A marked phrase ("매주", "every") beats an unmarked one; an unmarked one counts only beside a time. Raises
    Refused when two say different things with equal right.
    """
    marked = [days for days in found if days.marked]
    near = [
        days
        for days in found
        if not days.marked and any(_distance(days.span, t.span) <= _NEAR for t in times)
    ]
    definite = [days for days in marked if days.question is None]
    if marked and not definite:
        # "매주 … 평일": the open phrase is filled by a definite one beside it.
        filling = [days for days in near if days.weekday not in ("*", "")]
        return filling[0] if filling else marked[0]
    candidates = definite or near
    if len({(days.day, days.month, days.weekday) for days in candidates}) > 1:
        raise Refused(
            "일정이 두 가지로 읽혀요. 하나만 적어 주세요. 다른 일정은 에이전트를 하나 더 만들면 돼요.",
            "This reads as two schedules. Write one at a time; make another agent for the other.",
        )
    if not candidates:
        return None
    chosen = candidates[0]
    if chosen.marked or chosen.weekday in ("1-5", "0,6") or "-" in chosen.weekday or "," in chosen.weekday:
        return chosen
    words = low[slice(*chosen.span)]
    return chosen._replace(assumed=(f"'{words}'을 매주로 봤어요.", f"Read '{words}' as every week."))


def _cluster(times: list[Time], days: Days | None, low: str) -> list[Time]:
    """The times that belong together: those listed next to each other, nearest to the days."""
    groups: list[list[Time]] = []
    for time in times:
        gap = low[groups[-1][-1].span[1] : time.span[0]] if groups else ""
        if groups and (_BETWEEN.fullmatch(gap) or _UNTIL.fullmatch(gap)):
            groups[-1].append(time)
        else:
            groups.append([time])
    if not groups:
        return []
    return min(groups, key=lambda group: _distance(group[0].span, days.span) if days else 0)


def _speaks_of_when(times: list[Time], low: str) -> bool:
    """Whether times without days are about when to run ("9시에 보내줘") and not content ("9시 뉴스").

    Raises Refused for a single occasion.
    """
    if not times:
        return False
    about = any(
        _WHEN.match(low, time.span[1]) or re.match(r"\s*(?:at|@)\s", low[time.span[0] :]) for time in times
    )
    if _ONCE.search(low):
        raise Refused(
            "한 번만 하는 예약은 아직 없어요. '지금 실행'을 누르거나 '매일 9시'처럼 적어 주세요.",
            "A single appointment is not possible yet. Run it by hand, or write every day at 9:00.",
        )
    return about


def _clock_fields(
    times: list[Time], days: Days | None, low: str, spans: list[Span], assumed: list[Sentences]
) -> tuple[str, str]:
    """cron's minute and hour for listed times. Raises _Open when there are none or one is open."""
    spans += [time.span for time in times]
    wanted = _TIMES_A_DAY.search(low)
    if not times:
        period = lone_period(low)
        shown = f"{period} " if period and re.search("[가-힣]", period) else ""
        raise _Open("time", (f"{shown}몇 시에 할까요?", "At what time?"), spans)
    for time in times:
        if time.minutes is None:
            raise _Open("time", time.question or ("몇 시인가요?", "At what time?"), spans)
        assumed += [time.assumed] if time.assumed else []
    if len(times) == 2 and _is_range(times, low):
        raise _Open(
            "interval",
            ("그 사이에 얼마나 자주 할까요? 예: 매시간", "How often in between? For example every hour."),
            spans,
        )
    moments = sorted({time.minutes for time in times if time.minutes is not None})
    if wanted and _COUNTS.get(wanted["n"] or wanted["en"], 0) not in (0, len(moments)):
        raise _Open(
            "time",
            ("하루 몇 시와 몇 시에 할까요? 시각을 모두 적어 주세요.", "At which times? Write all of them."),
            spans,
        )
    minutes, hours = sorted({m % 60 for m in moments}), sorted({m // 60 for m in moments})
    if len(minutes) * len(hours) != len(moments):
        listed = ", ".join(clock(m) for m in moments)
        raise Refused(
            f"{listed}처럼 분이 서로 다르면 한 일정에 담을 수 없어요. 분을 맞추거나 하나만 적어 주세요.",
            f"{listed} have different minutes and cannot be one schedule. Use the same minute, or one time.",
        )
    return ",".join(map(str, minutes)), ",".join(map(str, hours))


def _with_hours(
    interval: Interval, times: list[Time], low: str, spans: list[Span], assumed: list[Sentences]
) -> tuple[str, str]:
    """cron's minute and hour for an interval, inside the hours the text names, if any."""
    pairs = [pair for pair in pairwise(times) if _is_range(list(pair), low)]
    if not pairs:
        beside = [time for time in times if _distance(time.span, interval.span) <= _NEAR]
        if beside:
            raise Refused(
                "시각과 간격이 함께 있어요. '매일 9시'나 '30분마다' 가운데 하나만 적어 주세요.",
                "There is a time and an interval. Write one of them: every day at 9:00, or every 30 minutes.",
            )
        return interval.minute, interval.hour
    first, last = pairs[0]
    for time in (first, last):
        if time.minutes is None:
            raise _Open(
                "time", time.question or ("몇 시인가요?", "At what time?"), [*spans, first.span, last.span]
            )
        assumed += [time.assumed] if time.assumed else []
    begin, end = first.minutes or 0, last.minutes or 0
    step = int(interval.minute.removeprefix("*/")) if "/" in interval.minute else 1
    said_last = not interval.minute.isdigit() and (end + step) % 60 == 0
    if said_last:
        end += step
    if begin % 60 or end % 60 or begin >= end or interval.hour not in ("*", "*/1"):
        raise Refused(
            "사이 시간은 '9시부터 18시까지 매시간'처럼 정각으로, 이른 시각부터 적어 주세요.",
            "Write whole hours, the earlier one first, such as hourly from 9:00 to 18:00.",
        )
    tail = re.match(r"\s*까지", low[last.span[1] :])
    spans.append((first.span[0], last.span[1] + (tail.end() if tail else 0)))
    if interval.minute.isdigit():
        return interval.minute, f"{begin // 60}-{end // 60}"
    if not said_last:
        final = clock(end - step)
        assumed.append((f"마지막은 {final}이에요.", f"The last one is at {final}."))
    return interval.minute, f"{begin // 60}-{end // 60 - 1}"


def _is_range(times: list[Time], low: str) -> bool:
    first, last = times
    return bool(_UNTIL.fullmatch(low[first.span[1] : last.span[0]]))


def _distance(one: Span, other: Span) -> int:
    return max(one[0] - other[1], other[0] - one[1], 0)


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]
