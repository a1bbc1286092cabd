"""Times of day in text. The comment below says what bare numbers mean."""

# - a word (새벽 아침 오전 낮 점심 오후 저녁 밤, am pm) decides; a number that does not fit it is asked about;
# - "24시", "13시", "09:00", "18:30" are on the 24-hour clock;
# - a bare 7-11 is the morning, a bare 12 noon, both said aloud; a bare 1-6 is asked about, unless 퇴근
#   (evening) or 출근 (morning) stands before it; after an afternoon time the next number goes on from it.

from __future__ import annotations

import re
from collections.abc import Iterator

from shared.agentfile.phrases.found import Refused, Span, Time

_NATIVE = "열두 열한 다섯 여섯 일곱 여덟 아홉 한 두 세 네 열".split()
_NATIVE_HOURS = {"한": 1, "두": 2, "세": 3, "네": 4, "다섯": 5, "여섯": 6, "일곱": 7}
_NATIVE_HOURS |= {"여덟": 8, "아홉": 9, "열": 10, "열한": 11, "열두": 12}

# word -> hours on the 12-hour clock it fits, and what is added to each
_WORDS: dict[str, dict[int, int]] = {
    "새벽": {12: 0, **{h: h for h in range(1, 7)}},
    "아침": {h: h for h in range(5, 12)},
    "오전": {12: 0, **{h: h for h in range(12)}},
    "낮": {10: 10, 11: 11, 12: 12, **{h: h + 12 for h in range(1, 6)}},
    "점심": {11: 11, 12: 12, 1: 13, 2: 14},
    "오후": {12: 12, **{h: h + 12 for h in range(1, 12)}, **{h: h for h in range(13, 24)}},
    "저녁": {**{h: h + 12 for h in range(4, 12)}, **{h: h for h in range(16, 24)}},
    "밤": {
        12: 0,
        **{h: h + 12 for h in range(6, 12)},
        **{h: h for h in range(1, 5)},
        **{h: h for h in range(18, 24)},
    },
}
_WORDS |= {"한낮": _WORDS["낮"], "한밤": _WORDS["밤"]}
_WORDS |= {
    "am": _WORDS["오전"],
    "morning": {**_WORDS["아침"], **{h: h for h in range(1, 5)}},
    "pm": _WORDS["오후"],
}
_WORDS |= {"afternoon": _WORDS["낮"], "evening": _WORDS["저녁"], "night": _WORDS["밤"]}
_WORDS |= {"출근": {h: h for h in range(5, 12)}, "퇴근": {h: h + 12 for h in range(4, 10)}}
PERIODS = tuple(sorted(_WORDS, key=len, reverse=True))

_KO_WORD = "한낮|한밤|새벽|아침|오전|낮|점심|오후|저녁|밤"
_KO = re.compile(
    rf"(?:(?P<word>{_KO_WORD})(?:마다|에)?\s*)?"
    rf"(?<![\d.])(?P<hour>\d{{1,2}}|{'|'.join(_NATIVE)})\s*시(?!간|장|도|작|즌|리|세|민|청|험|골|내|스|대)"
    r"(?:\s*(?:(?P<minute>\d{1,2})\s*분|(?P<half>반)))?(?!\s*(?:뉴스|전에|이전|이후))"
)
_CLOCK = re.compile(
    rf"(?:(?P<word>{_KO_WORD})(?:마다|에)?\s*)?(?<![\d:./-])(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}})(?![\d:])"
    r"(?:\s*(?P<after>[ap])\.?m\b\.?)?(?:\s*(?:in\s+the|at)\s+(?P<part>morning|afternoon|evening|night)\b)?"
)
_EN = re.compile(
    r"(?:\bat\s+|\band\s+|\bor\s+|,\s*)?(?<![\d:./-])\b(?P<hour>\d{1,2})(?:\s*o'?clock)?"
    r"(?:\s*(?P<after>[ap])\.?m\b\.?|\s*(?:in\s+the|at)\s+(?P<part>morning|afternoon|evening|night)\b)"
)
_EN_BARE = re.compile(
    r"\b(?:at|@)\s+(?P<hour>\d{1,2})(?:\s*o'?clock)?(?![\d:%]|\s*[ap]\.?m|\s*(?:in\s+the|at)\s+\w|[.]\d|\s*시|\s*분)"
)
_NAMED = re.compile(
    r"(?:낮\s*)?(?P<noon>정오)|(?:밤\s*)?(?P<midnight>자정)|\b(?P<en_noon>noon|midday)\b|\b(?P<en_midnight>midnight)\b"
)
_MORNING_EN = re.compile(r"\b(?:every|each)\s+(morning|afternoon|evening|night)\b")
_COMMUTE = re.compile(r"(출근|퇴근)[^.\n]{0,8}$")


def read_times(text: str) -> list[Time]:
    """Every time of day in `text` (already lowered), in order. Raises Refused for a time there is not."""
    found: list[Time] = []
    taken: list[Span] = []
    for pattern in (_NAMED, _CLOCK, _KO, _EN, _EN_BARE):
        for match in pattern.finditer(text):
            span = match.span()
            if any(span[0] < end and start < span[1] for start, end in taken):
                continue
            taken.append(span)
            found.append(_time(match, text))
    return list(_carried(sorted(found), text))


def _time(match: re.Match[str], text: str) -> Time:
    parts = match.groupdict()
    if "noon" in parts:
        is_noon = parts["noon"] or parts["en_noon"]
        return Time(match.span(), 12 * 60 if is_noon else 0)
    hour_text = parts["hour"]
    hour = int(hour_text) if hour_text.isdigit() else _NATIVE_HOURS[hour_text]
    minute = 30 if parts.get("half") else int(parts.get("minute") or 0)
    if hour > 24 or minute > 59 or (hour == 24 and minute):
        shown = match.group().strip(" ,")
        raise Refused(
            f"'{shown}'는 없는 시각이에요. 0시부터 23시 59분 사이로 적어 주세요.",
            f"'{shown}' is not a time. Use 0:00 to 23:59.",
        )
    word = parts.get("word") or parts.get("part") or {"a": "am", "p": "pm"}.get(parts.get("after") or "")
    return _resolved(
        match.span(), hour, minute, word or _context_word(text, match.start(), hour), bool(word), hour_text
    )


def _context_word(text: str, start: int, hour: int) -> str | None:
    """출근, 퇴근 or "every evening" when they stand before a bare number and fit it."""
    commute = _COMMUTE.search(text[:start])
    part = _MORNING_EN.search(text)
    word = commute.group(1) if commute else part.group(1) if part else None
    return word if word is not None and hour in _WORDS[word] else None


def _resolved(span: Span, hour: int, minute: int, word: str | None, spoken: bool, written: str) -> Time:
    clock = f":{minute:02}" if minute else ""
    if word is not None:
        actual = _WORDS[word].get(
            hour, hour if hour > 12 and word not in ("새벽", "아침", "오전", "am", "morning") else None
        )
        if actual is None or actual > 23:
            return Time(span, None, question=_ask(hour, minute))
        if spoken and hour != 12:
            return Time(span, actual * 60 + minute)
        return Time(
            span,
            actual * 60 + minute,
            assumed=_assumed(f"{hour}시" if not minute else f"{hour}:{minute:02}", actual * 60 + minute),
        )
    if hour in (0, 24):
        return Time(span, minute, assumed=_assumed(f"{hour}시", minute) if hour == 24 else None)
    if hour > 12 or written.startswith("0"):
        return Time(span, hour * 60 + minute)
    if hour <= 6:
        return Time(span, None, question=_ask(hour, minute))
    return Time(span, hour * 60 + minute, assumed=_assumed(f"{hour}{clock or '시'}", hour * 60 + minute))


def _carried(times: list[Time], text: str) -> Iterator[Time]:
    """A number left open right after a known time goes on from it: "오후 1시와 5시" is 13:00 and 17:00."""
    last: Time | None = None
    for written in times:
        time = written
        if time.minutes is None and last is not None and last.minutes is not None:
            close = re.fullmatch(
                r"[\s,·/~]*(?:와|과|하고|이랑|및|부터|and|to|until)?[\s,]*", text[last.span[1] : time.span[0]]
            )
            hour, minute = _written(text[slice(*time.span)])
            afternoon = (hour + 12) * 60 + minute
            if close and last.minutes < afternoon and last.minutes >= 12 * 60:
                time = Time(time.span, afternoon, assumed=_assumed(f"{hour}시", afternoon))
        yield time
        last = time


def _written(text: str) -> tuple[int, int]:
    numbers = [int(n) for n in re.findall(r"\d+", text)]
    if not numbers:
        native = next((word for word in _NATIVE if word in text), "한")
        numbers = [_NATIVE_HOURS[native]]
    return numbers[0], numbers[1] if len(numbers) > 1 else (30 if "반" in text else 0)


def clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _assumed(written: str, minutes: int) -> tuple[str, str]:
    shown = clock(minutes)
    plain = written.replace("시", "")
    return f"'{written}'를 {shown}으로 봤어요.", f"Read '{plain}' as {shown}."


def _ask(hour: int, minute: int) -> tuple[str, str]:
    early, late = clock((hour % 12) * 60 + minute), clock((hour % 12 + 12) * 60 + minute)
    return f"{early}인가요, {late}인가요?", f"Is that {early} or {late}?"


_LONE = re.compile(rf"(?:{_KO_WORD})(?=\s|에|마다|$)|\b(?:morning|afternoon|evening|night)s?\b")


def lone_period(text: str) -> str | None:
    """A part of the day named without a number ("매일 아침"), to ask about."""
    match = _LONE.search(text)
    return match.group() if match else None
