"""Every so often: "30분마다", "매시간", "매시 30분", "2시간마다", "every 15 minutes", "hourly"."""

from __future__ import annotations

import re

from shared.agentfile.phrases.found import Interval, Refused

_SECONDS = re.compile(
    r"\d+\s*초\s*(?:마다|간격|에\s*한\s*번)|매초|every\s+(?:\d+\s+)?seconds?\b|실시간으로\s*계속"
)
_AT_MINUTE = re.compile(
    r"(?:매시간|매시|시간마다)(?:\s*마다)?\s*(?P<minute>\d{1,2})\s*분(?!\s*(?:마다|간격|에\s*한))(?:에|마다)?"
)
_AT_MINUTE_EN = re.compile(r"every\s+hour\s+at\s+minute\s+(?P<minute>\d{1,2})")
_MINUTES = re.compile(
    r"(?P<n>\d{1,5})\s*분\s*(?:마다|간격(?:으로)?|에\s*한\s*번(?:씩)?)|(?P<each>매분|1분마다|일분마다)"
    r"|every\s+(?P<en>\d{1,5}|five|ten|fifteen|twenty|thirty)\s*(?:-\s*)?min(?:ute)?s?\b|(?P<one>every\s+minute\b)"
    r"|(?P<half>반\s*시간\s*(?:마다|간격(?:으로)?)|every\s+half\s+(?:an\s+)?hour\b|every\s+half-hour\b|half-hourly)"
)
_HOURS = re.compile(
    r"(?P<n>\d{1,4})\s*시간\s*(?:마다|간격(?:으로)?|에\s*한\s*번(?:씩)?)|(?P<word>한|두|세|네|여섯|여덟|열두)\s*시간\s*(?:마다|간격(?:으로)?|에\s*한\s*번(?:씩)?)"
    r"|every\s+(?P<en>\d{1,4}|two|three|four|six|eight|twelve)\s*h(?:ou)?rs?\b"
    r"|(?P<one>매\s?시간(?:\s*마다)?|시간마다|매시\s*정각|정시마다|매시(?=\s|$|마다|에)(?:마다)?|\bhourly\b|(?:every|each)\s+(?:single\s+)?hour\b)"
)
_WORDS = {
    "한": 1,
    "두": 2,
    "세": 3,
    "네": 4,
    "여섯": 6,
    "여덟": 8,
    "열두": 12,
    "two": 2,
    "three": 3,
    "four": 4,
}
_WORDS |= {
    "six": 6,
    "eight": 8,
    "twelve": 12,
    "five": 5,
    "ten": 10,
    "fifteen": 15,
    "twenty": 20,
    "thirty": 30,
}


def read_interval(text: str) -> Interval | None:
    """The one interval in `text` (already lowered), None without any.

    Raises Refused for seconds, for two different intervals, and for one that does not divide an hour or a
    day evenly: cron would make its last step shorter than the others.
    """
    if _SECONDS.search(text):
        raise Refused(
            "1분보다 자주 실행할 수는 없어요. '1분마다'나 그보다 길게 해 주세요.",
            "Nothing runs more often than every minute. Use every minute or longer.",
        )
    found: list[Interval] = []
    for pattern in (_AT_MINUTE, _AT_MINUTE_EN):
        found.extend(_at_minute(match) for match in pattern.finditer(text))
    for match in _MINUTES.finditer(text):
        groups = match.groupdict()
        count = (
            1
            if groups["each"] or groups["one"]
            else 30
            if groups["half"]
            else _count(groups["n"] or groups["en"])
        )
        _add(found, _every(match.span(), count))
    for match in _HOURS.finditer(text):
        groups = match.groupdict()
        count = 1 if groups["one"] else _count(groups["n"] or groups["word"] or groups["en"])
        _add(found, _every(match.span(), count * 60))
    if len({(interval.minute, interval.hour) for interval in found}) > 1:
        raise Refused("간격이 두 가지예요. 하나만 적어 주세요.", "There are two intervals. Keep one.")
    return found[0] if found else None


def _add(found: list[Interval], interval: Interval) -> None:
    """Unless it lies inside one already found."""
    if not any(interval.span[0] < other.span[1] and other.span[0] < interval.span[1] for other in found):
        found.append(interval)


def _count(text: str) -> int:
    return int(text) if text.isdigit() else _WORDS[text]


def _at_minute(match: re.Match[str]) -> Interval:
    minute = int(match["minute"])
    if minute > 59:
        raise Refused("분은 0부터 59 사이로 적어 주세요.", "Minutes go from 0 to 59.")
    return Interval(match.span(), str(minute))


def _every(span: tuple[int, int], minutes: int) -> Interval:
    if 1 <= minutes < 60 and 60 % minutes == 0:
        return Interval(span, "*" if minutes == 1 else f"*/{minutes}")
    hours, rest = divmod(minutes, 60)
    if minutes >= 60 and rest == 0 and hours < 24 and 24 % hours == 0:
        return Interval(span, "0", "*" if hours == 1 else f"*/{hours}")
    if minutes == 24 * 60:
        raise Refused(
            "하루에 한 번이면 시각을 적어 주세요. 예: 매일 09:00",
            "For once a day name the time, such as every day at 09:00.",
        )
    if minutes % 60 == 0 and minutes:
        raise Refused(
            f"{hours}시간마다는 하루를 고르게 나누지 못해요. 1, 2, 3, 4, 6, 8, 12시간 가운데 골라 주세요.",
            f"Every {hours} hours does not divide a day evenly. Use 1, 2, 3, 4, 6, 8 or 12 hours.",
        )
    raise Refused(
        f"{minutes}분마다는 한 시간을 고르게 나누지 못해요. 5, 10, 15, 20, 30분 가운데 골라 주세요.",
        f"Every {minutes} minutes does not divide an hour evenly. Use 5, 10, 15, 20 or 30 minutes.",
    )
