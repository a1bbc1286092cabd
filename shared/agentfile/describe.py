"""A schedule in words: "매일 09:00 · 서울", "Every Monday 08:00 · Seoul", and its rules as sentences.

What `describe` says in Korean or English, `words.read_schedule` reads back (a test holds it true).
"""

from __future__ import annotations

from functools import lru_cache

from shared.agentfile.holidays import known_until
from shared.agentfile.model import Language, Schedule
from shared.agentfile.schedule import Fields, fields_of

_MOST_TIMES = 6
_DAYS_KO = "일월화수목금토"
_DAYS_EN = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS_EN = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_CRON_DAYS = {name: str(n) for n, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"))}
_NTH_KO = {"1": "첫째", "2": "둘째", "3": "셋째", "4": "넷째", "5": "다섯째"}
_NTH_EN = {"1": "first", "2": "second", "3": "third", "4": "fourth", "5": "fifth"}
_CITIES_KO = {
    "Asia/Seoul": "서울",
    "Asia/Tokyo": "도쿄",
    "Asia/Shanghai": "상하이",
    "Asia/Hong_Kong": "홍콩",
    "Asia/Singapore": "싱가포르",
    "Asia/Ho_Chi_Minh": "호찌민",
    "Australia/Sydney": "시드니",
    "America/New_York": "뉴욕",
    "America/Los_Angeles": "로스앤젤레스",
    "Europe/London": "런던",
    "Europe/Paris": "파리",
    "Europe/Berlin": "베를린",
}


@lru_cache(maxsize=1000)
def describe(schedule: Schedule, language: Language) -> str:
    """Days, times and the zone's city on one line. A rule too odd for words shows its cron text."""
    return f"{_when(schedule.cron, language)} · {city(schedule.timezone, language)}"


def city(timezone: str, language: Language) -> str:
    """How people call a zone: by its best-known city. Unknown ones by the last part of their name."""
    if language == "ko" and timezone in _CITIES_KO:
        return _CITIES_KO[timezone]
    return timezone.rsplit("/", 1)[-1].replace("_", " ")


def describe_rules(schedule: Schedule, language: Language) -> list[str]:
    """What happens when a slot is missed, when runs overlap, on holidays, and when it starts or ends."""
    ko = language == "ko"
    sentences = [_MISSED[schedule.missed][0 if ko else 1], _OVERLAP[schedule.overlap][0 if ko else 1]]
    if schedule.holidays is not None:
        rule = schedule.on_holiday or "skip"
        sentences.append(_HOLIDAY[rule][0 if ko else 1])
        if rule != "run":
            year = known_until(schedule.holidays).year
            sentences.append(
                f"공휴일은 {year}년까지 알고 있어요. 그 뒤에는 공휴일에도 실행해요."
                if ko
                else f"Holidays are known until {year}. After that it runs on holidays too."
            )
    if schedule.pause_until is not None:
        day = schedule.pause_until
        sentences.append(f"{day}부터 다시 실행해요." if ko else f"It starts again on {day}.")
    if schedule.until is not None:
        day = schedule.until
        sentences.append(f"{day}까지만 실행해요." if ko else f"It runs until {day}.")
    return sentences


_MISSED = {
    "skip": ("놓친 시각은 건너뛰어요.", "Missed times are skipped."),
    "once": ("놓친 시각이 있으면 한 번만 늦게 실행해요.", "After missed times it runs once, late."),
    "all": ("놓친 시각은 하나도 빠짐없이 늦게라도 실행해요.", "Every missed time is made up for, late."),
}
_OVERLAP = {
    "skip": (
        "앞 실행이 아직 끝나지 않았으면 이번은 건너뛰어요.",
        "If the last run is still going, this one is skipped.",
    ),
    "queue": (
        "앞 실행이 아직 끝나지 않았으면 끝난 뒤에 이어서 실행해요.",
        "If the last run is still going, this one waits for it.",
    ),
    "replace": (
        "앞 실행이 아직 끝나지 않았으면 멈추고 새로 실행해요.",
        "If the last run is still going, it is stopped and this one runs.",
    ),
}
_HOLIDAY = {
    "run": ("공휴일에도 실행해요.", "It runs on public holidays too."),
    "skip": ("공휴일에는 쉬어요.", "It rests on public holidays."),
    "next_workday": (
        "공휴일이면 다음 평일 같은 시각에 실행해요.",
        "On a public holiday it runs at the same time on the next working day.",
    ),
}


def _when(cron: str, language: Language) -> str:
    try:
        fields = fields_of(cron)
    except ValueError:
        return cron
    days = _days(fields, language)
    clock = _interval(fields, language)
    if clock is not None and days is not None:
        every_day = fields.day == fields.month == "*" and fields.weekday == "*"
        return clock if every_day else f"{days} {clock}"
    times = _times(fields)
    if days is None or times is None:
        return f"직접 정한 규칙({cron})" if language == "ko" else f"Custom rule ({cron})"
    joined = ", ".join(times)
    return f"{days} {joined}"


def _numbers(field: str, low: int, high: int) -> list[int] | None:
    """The values of a plain field (numbers, ranges, steps, lists); None for anything else."""
    values: set[int] = set()
    for term in field.split(","):
        span, _, step = term.partition("/")
        first, dash, last = span.partition("-")
        if span == "*":
            first, dash, last = str(low), "-", str(high)
        if not first.isdigit() or (dash and not last.isdigit()) or (step and not step.isdigit()):
            return None
        top = int(last) if dash else (high if step else int(first))
        values.update(range(int(first), top + 1, int(step or "1")))
    return sorted(v for v in values if low <= v <= high)


def _times(fields: Fields) -> list[str] | None:
    minutes, hours = _numbers(fields.minute, 0, 59), _numbers(fields.hour, 0, 23)
    if not minutes or not hours or len(minutes) * len(hours) > _MOST_TIMES:
        return None
    return [f"{hour:02}:{minute:02}" for hour in hours for minute in minutes]


def _interval(fields: Fields, language: Language) -> str | None:
    """ "15분마다", "매시간 30분", "09:00–18:00 매시간"; None when the times are better listed."""
    ko = language == "ko"
    minutes, hours = _numbers(fields.minute, 0, 59), _numbers(fields.hour, 0, 23)
    if not minutes or not hours:
        return None
    step = 60 // len(minutes)
    even = minutes == list(range(0, 60, step))
    if len(hours) == 24:
        if len(minutes) == 1:
            tail = "" if minutes == [0] else (f" {minutes[0]}분" if ko else f" at minute {minutes[0]}")
            return ("매시간" if ko else "Every hour") + tail
        if even:
            return f"{step}분마다" if ko else ("Every minute" if step == 1 else f"Every {step} minutes")
        return None
    hour_step = 24 // len(hours)
    if len(hours) > 1 and minutes == [0] and hours == list(range(0, 24, hour_step)) and 24 % len(hours) == 0:
        return f"{hour_step}시간마다" if ko else f"Every {hour_step} hours"
    run = hours == list(range(hours[0], hours[-1] + 1))
    if run and even and len(hours) * len(minutes) > _MOST_TIMES:
        each = 60 if len(minutes) == 1 else step
        span = f"{hours[0]:02}:00–{hours[-1]:02}:{minutes[-1]:02}"
        if ko:
            return f"{span} " + ("매시간" if each == 60 else f"{each}분마다")
        return f"{span} " + (
            "every hour" if each == 60 else "every minute" if each == 1 else f"every {each} minutes"
        )
    return None


def _days(fields: Fields, language: Language) -> str | None:
    """ "매일", "평일", "매주 월·수", "매달 1일"; None when days of month and of week are combined."""
    ko = language == "ko"
    weekday = fields.weekday
    for name, number in _CRON_DAYS.items():
        weekday = weekday.replace(name, number)
    if fields.day == "*" and fields.month == "*":
        return _weekdays(weekday, ko)
    if weekday != "*":
        return None
    days = ["L"] if fields.day == "L" else _numbers(fields.day, 1, 31)
    months = _numbers(fields.month, 1, 12)
    if not days or not months or len(days) > _MOST_TIMES or (fields.day == "*" and len(months) < 12):
        return None
    if ko:
        listed = "·".join("말일" if d == "L" else f"{d}일" for d in days)
        return (
            f"매달 {listed}" if len(months) == 12 else f"매년 {'·'.join(f'{m}월' for m in months)} {listed}"
        )
    listed = " and ".join("last day" if d == "L" else _ordinal(int(d)) for d in days)
    if len(months) == 12:
        return f"On the {listed} of each month"
    return f"On the {listed} of {', '.join(_MONTHS_EN[m - 1] for m in months)}"


def _weekdays(weekday: str, ko: bool) -> str | None:
    if "#" in weekday and weekday[0].isdigit() and "," not in weekday:
        day, nth = weekday.split("#")
        name = int(day) % 7
        return (
            f"매달 {_NTH_KO[nth]} {_DAYS_KO[name]}요일"
            if ko
            else f"The {_NTH_EN[nth]} {_DAYS_EN[name]} of each month"
        )
    if weekday.endswith("L") and weekday[:-1].isdigit():
        name = int(weekday[:-1]) % 7
        return f"매달 마지막 {_DAYS_KO[name]}요일" if ko else f"The last {_DAYS_EN[name]} of each month"
    numbers = _numbers(weekday, 0, 7)
    if not numbers:
        return None
    # Monday first, as both languages list a week.
    week = sorted({number % 7 for number in numbers}, key=lambda n: (n - 1) % 7)
    if len(week) == 7:
        return "매일" if ko else "Every day"
    if week == [1, 2, 3, 4, 5]:
        return "평일" if ko else "Weekdays"
    if week == [6, 0]:
        return "주말" if ko else "Weekends"
    if len(week) == 1:
        return f"매주 {_DAYS_KO[week[0]]}요일" if ko else f"Every {_DAYS_EN[week[0]]}"
    if ko:
        return "매주 " + "·".join(_DAYS_KO[n] for n in week)
    return "Every " + ", ".join(_DAYS_EN[n] for n in week[:-1]) + " and " + _DAYS_EN[week[-1]]


def _ordinal(number: int) -> str:
    if number % 10 in (1, 2, 3) and number not in (11, 12, 13):
        return f"{number}{('st', 'nd', 'rd')[number % 10 - 1]}"
    return f"{number}th"
