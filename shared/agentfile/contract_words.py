"""What a check saw, in Korean and English: (ko, en). Only measured values and the file's own words in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.agentfile.facts import FileFact
from shared.agentfile.model import Language

Said = tuple[str, str]

_UNITS = {"bytes": ("바이트", "byte"), "rows": ("줄", "row")}


def number(value: float) -> str:
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.2f}" if abs(value) >= 0.1 else f"{value:.3g}"


def bounds(low: float | None, high: float | None, unit_ko: str, unit_en: str) -> Said:
    """The expectation: "1줄 이상이어야 해요.", "It must be at least 1."; empty when there is none."""
    must = "이어야" if unit_ko == "줄" else "여야"  # the only unit that ends in a consonant
    if low is not None and low == high:
        return f"{number(low)}{unit_ko}{must} 해요.", f"Expected {number(low)}{unit_en}."
    if low is not None and high is not None:
        return (
            f"{number(low)}–{number(high)}{unit_ko}{must} 해요.",
            f"Expected {number(low)} to {number(high)}{unit_en}.",
        )
    if low is not None:
        return f"{number(low)}{unit_ko} 이상이어야 해요.", f"Expected {number(low)}{unit_en} or more."
    if high is not None:
        return f"{number(high)}{unit_ko} 이하여야 해요.", f"Expected {number(high)}{unit_en} or fewer."
    return "", ""


def _joined(first: Said, second: Said) -> Said:
    return f"{first[0]} {second[0]}".strip(), f"{first[1]} {second[1]}".strip()


def _plural(count: float, noun: str) -> str:
    return f"{number(count)} {noun}" + ("" if count == 1 else "s")


def _list(words: Sequence[str]) -> str:
    """The first of them, without what would move a cursor."""
    shown = ", ".join(f"'{''.join(c if c.isprintable() else '·' for c in word[:60])}'" for word in words[:3])
    return shown + ("…" if len(words) > 3 else "")


def no_file(path: str) -> Said:
    return f"{path} 파일이 만들어지지 않았어요.", f"{path} was not made."


_REASONS: dict[str, Said] = {
    "cut": ("끝이 잘렸거나 망가졌어요", "cut off or damaged"),
    "xlsx": ("엑셀로 열리지 않아요", "no workbook that opens"),
    "json": ("JSON이 아니거나 끝이 잘렸어요", "no JSON, or cut off"),
    "encoding": ("글자의 인코딩을 알 수 없어요", "unknown encoding"),
    "too large": ("너무 커요", "too large"),
}


def _because(reason: str | None) -> Said:
    """Why a file is unreadable, in brackets; empty when nothing is known."""
    if reason is None:
        return "", ""
    ko, en = _REASONS.get(reason, (reason, reason))
    return f" ({ko})", f" ({en})"


def not_table(path: str, file: FileFact) -> Said:
    if file.kind == "html":
        return web_page(path)
    ko, en = _because(file.unreadable)
    return f"{path} 파일을 표로 읽을 수 없어요{ko}.", f"{path} cannot be read as a table{en}."


def no_text(path: str, reason: str | None) -> Said:
    ko, en = _because(reason)
    return f"{path} 파일을 글로 읽을 수 없어요{ko}.", f"{path} cannot be read as text{en}."


def web_page(path: str) -> Said:
    return (
        f"{path} 안에는 기대한 내용이 아니라 웹 페이지(HTML)가 들어 있어요. 오류나 로그인 화면일 수 있어요.",
        f"{path} holds a web page (HTML), not what was expected. It may be an error or sign-in page.",
    )


def damaged(path: str, reason: str) -> Said:
    ko, en = _because(reason)
    return f"{path} 파일이 깨져서 열 수 없어요{ko}.", f"{path} is damaged and cannot be opened{en}."


def small(path: str, width: int | None, height: int | None, wide: int | None, high: int | None) -> Said:
    """wide, high: the least that was promised; None where nothing was."""
    if width is None or height is None:
        return f"{path}에서 그림의 크기를 알 수 없어요.", f"The size of the picture {path} is not known."
    promised = [("너비", "wide", wide), ("높이", "high", high)]
    ko = ", ".join(f"{name} {least:,}픽셀" for name, _, least in promised if least is not None)
    en = " and ".join(f"{least:,} pixels {name}" for _, name, least in promised if least is not None)
    return (
        f"{path} 그림이 {width:,}×{height:,}픽셀이에요. {ko} 이상이어야 해요.",
        f"{path} is {width:,}×{height:,} pixels. Expected at least {en}.",
    )


def wrong_kind(path: str, kind: str, wanted: Sequence[str]) -> Said:
    names = ", ".join(wanted)
    return (
        f"{path} 파일의 종류가 {kind}예요. 기대한 종류: {names}.",
        f"{path} is a {kind} file. Expected: {names}.",
    )


def amount(path: str, unit: str, seen: float, low: float | None, high: float | None) -> Said:
    ko, en = _UNITS[unit]
    expected = bounds(low, high, ko, "")
    if unit == "rows":
        return _joined((f"{path}에 {number(seen)}줄이 있어요.", f"{path} has {_plural(seen, en)}."), expected)
    return _joined(
        (f"{path} 크기가 {number(seen)}바이트예요.", f"{path} is {_plural(seen, en)} long."), expected
    )


def no_columns(path: str, names: Sequence[str]) -> Said:
    return f"{path}에 있어야 할 열이 없어요: {_list(names)}.", f"{path} lacks columns: {_list(names)}."


def columns_fine(path: str, names: Sequence[str]) -> Said:
    return (
        f"{path}의 {_list(names)} 열이 모두 제대로 채워져 있어요.",
        f"{path} has every value in {_list(names)}.",
    )


def blanks(path: str, name: str, count: int) -> Said:
    return (
        f"{path}의 '{name}' 열에 빈칸이 {count:,}개 있어요.",
        f"{path}: '{name}' is blank in {_plural(count, 'row')}.",
    )


def column(path: str, name: str) -> Said:
    return f"{path}의 '{name}' 열", f"'{name}' in {path}"


def broken_letters(path: str, name: str, values: Sequence[str]) -> Said:
    return (
        f"{path}의 '{name}' 열에 깨진 글자가 있어요: {_list(values)}.",
        f"{path}: '{name}' has broken letters: {_list(values)}.",
    )


_FORMATS = {
    "text": ("글이", "text"),
    "date": ("날짜가", "a date"),
    "url": ("웹 주소가", "a web address"),
}


def not_format(path: str, name: str, count: int, wanted: str) -> Said:
    if wanted == "number":
        return not_numbers(path, name, count)
    ko, en = _FORMATS[wanted]
    return (
        f"{path}의 '{name}' 열에 {ko} 아닌 값이 {count:,}개 있어요.",
        f"{path}: '{name}' is not {en} in {_plural(count, 'row')}.",
    )


def repeated(path: str, name: str, count: int | None) -> Said:
    if count is None:
        return (
            f"{path}의 '{name}' 열에 값이 너무 많아 겹치는지 확인하지 못했어요.",
            f"{path}: '{name}' has too many values to see whether any repeat.",
        )
    return (
        f"{path}의 '{name}' 열에 겹치는 값이 {count:,}개 있어요.",
        f"{path}: '{name}' repeats a value in {_plural(count, 'row')}.",
    )


_LANGUAGES: dict[Language, Said] = {"ko": ("한국어", "Korean"), "en": ("영어", "English")}


def other_language(where: Said, wanted: Language) -> Said:
    ko, en = _LANGUAGES[wanted]
    return f"{where[0]}의 내용이 {ko}가 아니에요.", f"{where[1]} is not in {en}."


def not_numbers(path: str, name: str, count: int) -> Said:
    return (
        f"{path}의 '{name}' 열에 숫자가 아닌 값이 {count:,}개 있어요.",
        f"{path}: '{name}' is not a number in {_plural(count, 'row')}.",
    )


def out_of_range(path: str, name: str, value: float, low: float | None, high: float | None) -> Said:
    seen = (
        f"{path}의 '{name}' 열에 {number(value)} 값이 있어요.",
        f"{path}: '{name}' has the value {number(value)}.",
    )
    return _joined(seen, bounds(low, high, "", ""))


def other_values(path: str, name: str, values: Sequence[str], wanted: Sequence[str]) -> Said:
    seen_ko, seen_en = (_list(values), _list(values)) if values else ("너무 많은 여러 값", "too many values")
    return (
        f"{seen_ko} ({path}의 '{name}' 열에는 {_list(wanted)}만 있어야 해요.)",
        f"{seen_en} ({path} should only hold {_list(wanted)} in '{name}'.)",
    )


def banned_values(path: str, name: str, values: Sequence[str]) -> Said:
    if not values:
        return (
            f"{path}의 '{name}' 열에 값이 너무 많아 다 확인하지 못했어요.",
            f"{path}: '{name}' has too many values to check them all.",
        )
    return (
        f"{path}의 '{name}' 열에 있으면 안 되는 값이 있어요: {_list(values)}.",
        f"{path}: '{name}' has values it must not have: {_list(values)}.",
    )


def no_date(path: str, name: str) -> Said:
    return f"{path}의 '{name}' 열에서 날짜를 찾지 못했어요.", f"{path}: no date found in '{name}'."


def age(path: str, newest: str, seconds: float, limit: float) -> Said:
    old, allowed = span(max(seconds, 0)), span(limit)
    return (
        f"{path}에서 가장 새로운 날짜는 {newest}, {old[0]} 전이에요. {allowed[0]} 안이어야 해요.",
        f"The newest date in {path} is {newest}, {old[1]} ago. Expected within {allowed[1]}.",
    )


def not_come(path: str, name: str, newest: str) -> Said:
    return (
        f"{path}의 '{name}' 열에 아직 오지 않은 날짜가 있어요: {newest}.",
        f"{path}: '{name}' has a date that has not come yet: {newest}.",
    )


def span(seconds: float) -> Said:
    """A length of time in its largest whole unit."""
    for size, ko, en in ((86400, "일", "day"), (3600, "시간", "hour"), (60, "분", "minute")):
        if seconds >= size:
            return f"{seconds // size:,.0f}{ko}", _plural(seconds // size, en)
    return f"{seconds:.0f}초", _plural(round(seconds), "second")


def first_time(path: str) -> Said:
    return (
        f"{path}: 비교할 지난 결과가 아직 없어요.",
        f"{path}: there is no earlier result to compare with yet.",
    )


def changed(path: str, is_new: bool) -> Said:
    if is_new:
        return f"{path} 내용이 지난번과 달라졌어요.", f"{path} differs from last time."
    return f"{path} 내용이 지난번과 똑같아요.", f"{path} is the same as last time."


def growth(path: str, before: int, now: int, low: float | None, high: float | None) -> Said:
    expected = bounds(low, high, "배", " times as many")
    return _joined(
        (
            f"{path}의 줄이 지난번 {before:,}개에서 {now:,}개가 됐어요.",
            f"{path} went from {before:,} to {_plural(now, 'row')}.",
        ),
        expected,
    )


def moved(path: str, name: str, before: float, now: float, low: float | None, high: float | None) -> Said:
    return _joined(
        (
            f"{path}의 '{name}' 열 가운데 값이 지난번 {number(before)}에서 {number(now)}(으)로 바뀌었어요.",
            f"The middle of '{name}' in {path} went from {number(before)} to {number(now)}.",
        ),
        bounds(low, high, "배", " times as much"),
    )


def report(path: str | None) -> Said:
    return ("보낼 보고", "The report") if path is None else (path, path)


def lacks(path: str | None, missing: Sequence[str]) -> Said:
    ko, en = report(path)
    return f"{ko}에 {_list(missing)} 내용이 없어요.", f"{en} does not contain {_list(missing)}."


def has(path: str | None, found: Sequence[str]) -> Said:
    ko, en = report(path)
    return f"{ko}에 있으면 안 되는 내용이 있어요: {_list(found)}.", f"{en} must not contain {_list(found)}."


def length(path: str | None, seen: int, low: float | None, high: float | None) -> Said:
    ko, en = report(path)
    return _joined(
        (f"{ko} 길이가 {seen:,}자예요.", f"{en} has {_plural(seen, 'character')}."),
        bounds(low, high, "자", ""),
    )


def broken_text(path: str | None, lines: int) -> Said:
    ko, en = report(path)
    return (
        f"{ko}에 깨진 글자가 있는 줄이 {lines:,}개예요.",
        f"{en} has broken letters in {_plural(lines, 'line')}.",
    )


def nothing_queued() -> Said:
    return "보낼 보고가 만들어지지 않았어요.", "No report was made to send."


def no_channel(missing: Sequence[str]) -> Said:
    return f"이곳으로 보낼 보고가 없어요: {_list(missing)}.", f"Nothing was made to send to {_list(missing)}."


def queued(count: int, low: float | None, high: float | None) -> Said:
    seen = (f"보낼 보고가 {count:,}개예요.", f"{_plural(count, 'report')} to send.")
    return _joined(seen, bounds(low, high, "개", ""))


def expression(text: str, seen: Mapping[str, float]) -> Said:
    values = ", ".join(f"{name} = {number(value)}" for name, value in list(seen.items())[:6])
    return (
        f"조건: {text} (잰 값: {values})" if values else f"조건: {text}",
        f"Condition: {text} (measured: {values})" if values else f"Condition: {text}",
    )


def no_value(name: str) -> Said:
    return f"{name}에서 확인할 값을 찾지 못했어요.", f"There is no value to check in {name}."


def unusable(text: str) -> Said:
    return f"조건을 계산할 수 없어요: {text}", f"The condition cannot be computed: {text}"
