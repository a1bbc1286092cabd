"""Which days a text names: every day, weekdays, days of the week, of the month, of the year.

What cron cannot say (every other week, every three days) is refused with what can be done instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shared.agentfile.phrases.found import Days, Refused, Sentences

_KO_DAYS = "일월화수목금토"
_EN_DAYS = "sun|mon|tue|wed|thu|fri|sat"
_EN_DAY = r"(?:sun|mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?)(?:days?)?"
_MONTHS = "january february march april may june july august september october november december".split()
_NTH = {
    "첫": 1,
    "첫째": 1,
    "첫번째": 1,
    "둘째": 2,
    "두번째": 2,
    "셋째": 3,
    "세번째": 3,
    "넷째": 4,
    "네번째": 4,
}
_NTH |= {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4}

_REFUSED: tuple[tuple[str, Sentences], ...] = (
    (
        (
            r"격주|[2-9]\s*주\s*(?:마다|에\s*한\s*번|간격)|(?:두|세|네)\s*주\s*(?:마다|에\s*한\s*번)"
            r"|every\s+(?:other|second|two|three|\d+)\s+weeks?|biweekly|bi-weekly|fortnight"
        ),
        (
            "격주처럼 몇 주에 한 번은 아직 할 수 없어요. 매주나 '매달 1일과 15일'로 해 주세요.",
            "Every other week is not possible yet. Use every week, or the 1st and 15th of each month.",
        ),
    ),
    (
        r"격일|이틀\s*(?:마다|에\s*한\s*번|간격)|사흘\s*마다|나흘\s*마다|\d+\s*일\s*(?:마다|에\s*한\s*번|간격)|하루\s*걸러|every\s+(?:other|second|two|three|\d+)\s+days?",
        (
            "며칠에 한 번은 아직 할 수 없어요. 매일이나 '월·수·금'처럼 요일로 해 주세요.",
            "Every few days is not possible yet. Use every day, or days such as Mon, Wed and Fri.",
        ),
    ),
    (
        r"분기\s*(?:마다|에\s*한\s*번)|매\s*분기|(?:[2-9]|1[0-2]|두|세|석)\s*(?:개월|달)\s*(?:마다|에\s*한\s*번)|격월|quarterly|every\s+quarter|every\s+(?:other|\d+)\s+months?",
        (
            "몇 달에 한 번은 달을 적어 주세요. 예: '매년 1월 1일'. 매달도 할 수 있어요.",
            "For every few months name the date, such as every year on January 1. Every month works too.",
        ),
    ),
)

_YEARLY = re.compile(r"(?:매년|해마다)\s*(?P<month>\d{1,2})월\s*(?P<day>\d{1,2})일")
_YEARLY_EN = re.compile(
    rf"(?:every|each)\s+year\s+on\s+(?P<month>{'|'.join(_MONTHS)})\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?"
)
_MONTH_WORD = r"(?:매달|매월|달마다|매\s달|매\s월|한\s*달에\s*한\s*번)"
_MONTHLY_NTH = re.compile(
    rf"{_MONTH_WORD}\s*(?P<nth>첫째|첫\s?번째|첫|둘째|두\s?번째|셋째|세\s?번째|넷째|네\s?번째|마지막)\s*(?:주\s*)?(?P<weekday>[{_KO_DAYS}])요일"
)
_MONTHLY_NTH_EN = re.compile(
    rf"(?:on\s+)?(?:the\s+|every\s+)?(?P<nth>first|1st|second|2nd|third|3rd|fourth|4th|last)\s+(?P<weekday>{_EN_DAY})\s+of\s+(?:each|every|the)\s+month"
)
_MONTHLY_LAST = re.compile(
    rf"{_MONTH_WORD}\s*(?:말일|마지막\s*날)|(?:on\s+)?the\s+last\s+day\s+of\s+(?:each|every|the)\s+month"
)
_MONTHLY_FIRST = re.compile(rf"{_MONTH_WORD}\s*(?:첫날|첫\s날|초하루)")
_MONTHLY = re.compile(
    rf"{_MONTH_WORD}\s*(?P<days>\d{{1,2}}일?(?:\s*(?:과|와|,|·|및|하고|이랑)?\s*\d{{1,2}}일)*)(?<=일)"
)
_ORDINALS = r"\d{1,2}(?:st|nd|rd|th)(?:(?:\s*,\s*|\s+and\s+|\s*,\s*and\s+)(?:the\s+)?\d{1,2}(?:st|nd|rd|th))*"
_MONTHLY_EN = re.compile(
    rf"(?:on\s+)?the\s+(?P<days>{_ORDINALS})(?:\s+day)?\s+of\s+(?:each|every|the)\s+month"
    rf"|(?:every|each)\s+month\s+on\s+the\s+(?P<days2>{_ORDINALS})|monthly\s+on\s+the\s+(?P<days3>{_ORDINALS})"
)
_MONTHLY_OPEN = re.compile(rf"{_MONTH_WORD}|\b(?:monthly|(?:every|each)\s+month|once\s+a\s+month)\b")

_KO_RANGE = re.compile(
    rf"(?:매주\s*)?(?P<from>[{_KO_DAYS}])(?:요일)?\s*(?:~|-|–|부터)\s*(?P<to>[{_KO_DAYS}])(?:요일)?(?:까지)?(?:마다)?(?![가-힣])"
)
_EN_RANGE = re.compile(
    rf"\b(?:every\s+|from\s+)?(?P<from>{_EN_DAY})\s*(?:-|–|to|through|thru)\s*(?P<to>{_EN_DAY})\b"
)
_KO_WEEKLY = re.compile(
    rf"(?P<week>매주\s*)?(?P<days>[{_KO_DAYS}]요일(?:\s*(?:과|와|,|·|/|및|하고|이랑)?\s*[{_KO_DAYS}]요일)*)(?P<each>\s*마다)?"
)
_KO_SHORT = re.compile(
    rf"(?P<week>매주\s*)(?P<days>[{_KO_DAYS}](?:\s*[,·/]?\s*[{_KO_DAYS}])*)(?P<each>\s*마다)?(?![가-힣])"
    rf"|(?<![가-힣])(?P<days2>[{_KO_DAYS}](?:\s*[,·/]\s*[{_KO_DAYS}])+|[{_KO_DAYS}]{{2,5}})(?P<each2>\s*마다)?(?=\s|,|에|$)"
)
_EN_WEEKLY = re.compile(
    rf"\b(?P<mark>every\s+|each\s+|on\s+|weekly\s+on\s+)?(?P<days>{_EN_DAY}(?:(?:\s*,\s*(?:and\s+)?|\s+and\s+|\s*&\s*|\s*/\s*){_EN_DAY})*)\b"
)
_WEEKLY_OPEN = re.compile(
    r"매주|주마다|(?:일주일|한\s*주|주)에\s*한\s*번|일주일마다|\b(?:weekly|(?:every|each)\s+week|once\s+a\s+week)\b"
)
_WEEKDAYS = re.compile(
    r"(?P<mark>매\s*)?(?:평일|주중)(?P<each>\s*(?:마다|매일))?|\b(?P<en>every\s+|on\s+|each\s+)?(?:week\s?days?|working\s+days?|business\s+days?)\b"
)
_WORKDAYS = re.compile(r"(?:매\s*)?(?:영업일|근무일)(?:\s*마다)?")
_WEEKENDS = re.compile(
    r"(?P<mark>매\s*)?주말(?P<each>\s*마다)?|\b(?P<en>every\s+|on\s+(?:the\s+)?|each\s+)?weekends?\b"
)
_DAILY = re.compile(
    r"매일(?:매일|같이)?(?!경제|신문|유업|\s?경제신문)|날마다|하루\s*(?:에\s*)?(?:한|두|세|네|\d+)\s*(?:번|차례|회)|(?:아침|저녁|밤|새벽|점심|오전|오후)마다|일\s*1회"
    r"|\b(?:every\s*day|each\s+day|daily|(?:once|twice)\s+(?:a|per)\s+day|(?:every|each)\s+(?:morning|afternoon|evening|night))\b"
)


def refuse_what_cron_cannot(text: str) -> None:
    """Raises Refused for every other week, every three days and their like."""
    for pattern, sentences in _REFUSED:
        if re.search(pattern, text):
            raise Refused(*sentences)


def read_days(text: str) -> list[Days]:
    """Every phrase of days in `text` (already lowered), in order, none inside another."""
    found: list[Days] = []
    for days in _candidates(text):
        if not any(days.span[0] < other.span[1] and other.span[0] < days.span[1] for other in found):
            found.append(days)
    return sorted(found)


def _candidates(text: str) -> Iterator[Days]:
    """Longest and most definite kinds first, so that "매달 첫째 월요일" is not read as a Monday."""
    yield from _of_the_year(text)
    yield from _of_the_month(text)
    for pattern in (_KO_RANGE, _EN_RANGE):
        for match in pattern.finditer(text):
            yield Days(match.span(), weekday=_range(_day(match["from"]), _day(match["to"])))
    for match in _WORKDAYS.finditer(text):
        yield Days(
            match.span(),
            weekday="1-5",
            assumed=(
                "영업일은 평일로 봤어요. 공휴일에는 쉬어요.",
                "Working days are weekdays without public holidays.",
            ),
        )
    yield from _of_the_week(text)
    for match in _MONTHLY_OPEN.finditer(text):
        yield Days(match.span(), day="", question=("매달 며칠인가요?", "Which day of the month?"))
    for match in _WEEKLY_OPEN.finditer(text):
        yield Days(match.span(), weekday="", question=("무슨 요일인가요?", "Which day of the week?"))
    for match in _DAILY.finditer(text):
        yield Days(match.span())


def _of_the_year(text: str) -> Iterator[Days]:
    for match in _YEARLY.finditer(text):
        yield Days(match.span(), day=_number(match["day"], 31), month=_number(match["month"], 12))
    for match in _YEARLY_EN.finditer(text):
        yield Days(match.span(), day=_number(match["day"], 31), month=str(_MONTHS.index(match["month"]) + 1))


def _of_the_month(text: str) -> Iterator[Days]:
    for pattern in (_MONTHLY_NTH, _MONTHLY_NTH_EN):
        for match in pattern.finditer(text):
            nth, day = match["nth"].replace(" ", ""), _day(match["weekday"])
            yield Days(match.span(), weekday=f"{day}L" if nth in ("마지막", "last") else f"{day}#{_NTH[nth]}")
    for match in _MONTHLY_LAST.finditer(text):
        yield Days(match.span(), day="L")
    for match in _MONTHLY_FIRST.finditer(text):
        yield Days(match.span(), day="1")
    for match in _MONTHLY.finditer(text):
        yield _monthly(match, match["days"])
    for match in _MONTHLY_EN.finditer(text):
        yield _monthly(match, match["days"] or match["days2"] or match["days3"])


def _monthly(match: re.Match[str], listed: str) -> Days:
    numbers = sorted({int(_number(n, 31)) for n in re.findall(r"\d+", listed)})
    skipped = [n for n in numbers if n > 28]
    assumed = None
    if skipped:
        assumed = (f"{skipped[0]}일이 없는 달은 건너뛰어요.", f"Months without day {skipped[0]} are skipped.")
    return Days(match.span(), day=",".join(map(str, numbers)), assumed=assumed)


def _of_the_week(text: str) -> Iterator[Days]:
    for match in _KO_WEEKLY.finditer(text):
        marked = bool(match["week"] or match["each"])
        yield _weekly(
            match, {_KO_DAYS.index(d[0]) for d in re.findall(rf"[{_KO_DAYS}]요일", match["days"])}, marked
        )
    for match in _KO_SHORT.finditer(text):
        letters = re.findall(rf"[{_KO_DAYS}]", match["days"] or match["days2"])
        marked = bool(match["week"] or match["each2"])
        if marked or _is_list_of_days(letters, match["days2"]):
            yield _weekly(match, {_KO_DAYS.index(letter) for letter in letters}, marked)
    for match in _EN_WEEKLY.finditer(text):
        names = re.findall(_EN_DAY, match["days"])
        if match["mark"] or all(name.endswith(("day", "days")) for name in names):
            marked = bool(match["mark"]) or names[0].endswith("s")
            yield _weekly(match, {_day(name) for name in names}, marked)
    for match in _WEEKDAYS.finditer(text):
        yield Days(match.span(), weekday="1-5", marked=_marked(match))
    for match in _WEEKENDS.finditer(text):
        yield Days(match.span(), weekday="0,6", marked=_marked(match))


def _marked(match: re.Match[str]) -> bool:
    return bool(match["mark"] or match["each"] or match["en"])


def _is_list_of_days(letters: list[str], written: str) -> bool:
    """월수금 and 화·목 are days; 금일, 일월, 수수 and 목금토일월 in odd orders are words."""
    order = [(_KO_DAYS.index(letter) - 1) % 7 for letter in letters]
    return order == sorted(set(order)) and written not in ("금일", "월일", "목일", "화일", "수일", "토일")


def _weekly(match: re.Match[str], days: set[int], marked: bool) -> Days:
    return Days(match.span(), weekday=_cron_days(days), marked=marked)


def _day(name: str) -> int:
    if name[0] in _KO_DAYS:
        return _KO_DAYS.index(name[0])
    return _EN_DAYS.split("|").index(name[:3])


def _range(first: int, last: int) -> str:
    days = {first}
    while first != last:
        first = (first + 1) % 7
        days.add(first)
    return _cron_days(days)


def _cron_days(days: set[int]) -> str:
    if days == set(range(7)):
        return "*"
    if days == {1, 2, 3, 4, 5}:
        return "1-5"
    return ",".join(map(str, sorted(days)))


def _number(text: str, most: int) -> str:
    number = int(text)
    if not 1 <= number <= most:
        unit = ("일", "day") if most == 31 else ("월", "month")
        raise Refused(
            f"{number}{unit[0]}은 없어요. 1부터 {most} 사이로 적어 주세요.",
            f"There is no {unit[1]} {number}. Use 1 to {most}.",
        )
    return str(number)
