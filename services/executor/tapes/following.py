"""Whether what came out of a varied replay followed what it was given. Pure.

`True` yes · `False` no, and the differences say where · `None` cannot be told, and the differences say why.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.executor.tapes.differences import Teller
from services.executor.tapes.numbers import numbers_in, telling
from services.executor.tapes.renaming import Renaming, names_something, number_stands_in, spelled, stands_in
from shared.records.executor import Rows

_SHOWN = 5
_SAMPLE_TABLES, _SAMPLE_ROWS, _SAMPLE_COLUMNS, _WIDEST = 2, 8, 8, 80
_TELLING_LINE = 4  # characters: shorter lines are headings and rules


@dataclass(frozen=True)
class FileCells:
    """One file as its cells, or its lines (then without header). read False: neither."""

    name: str
    read: bool
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Report:
    """All that came out of a run: files, and the messages it wanted to send."""

    files: tuple[FileCells, ...] = ()
    messages: tuple[str, ...] = ()

    def texts(self) -> list[str]:
        cells = [cell for file in self.files for row in file.rows for cell in row]
        return cells + [line for message in self.messages for line in message.splitlines()]

    def rows(self) -> set[tuple[str, ...]]:
        lines = {(line.strip(),) for message in self.messages for line in message.splitlines()}
        return lines | {row for file in self.files for row in file.rows}

    def sample(self) -> tuple[Rows, ...]:
        """The beginning of every table and message, for people."""
        tables = [
            Rows(
                name=file.name[:_WIDEST],
                header=_cut(file.header),
                rows=tuple(_cut(row) for row in file.rows[:_SAMPLE_ROWS]),
                more=max(0, len(file.rows) - _SAMPLE_ROWS),
            )
            for file in self.files
            if file.rows
        ]
        lines = [line for message in self.messages for line in message.splitlines() if line.strip()]
        said = Rows(
            name="",
            rows=tuple(_cut((line,)) for line in lines[:_SAMPLE_ROWS]),
            more=max(0, len(lines) - _SAMPLE_ROWS),
        )
        return (*tables[:_SAMPLE_TABLES], *([said] if lines else []))

    def counts(self) -> set[int]:
        """How many there are of something: what a page may say as well, and a program count for itself."""
        lines = [len(message.splitlines()) for message in self.messages]
        found = {len(file.rows) for file in self.files} | set(lines)
        return {n + more for n in found for more in (-1, 0, 1)}


def _cut(cells: Sequence[str]) -> tuple[str, ...]:
    return tuple(cell[:_WIDEST] for cell in cells[:_SAMPLE_COLUMNS])


@dataclass(frozen=True)
class Given:
    """pages and memory: as the replay had them. kept: what was left as it is (see renaming)."""

    renaming: Renaming
    pages: Sequence[str]
    memory: Sequence[str]
    kept: str


def altered(before: Report, now: Report, given: Given, teller: Teller) -> bool | None:
    """Nothing may stay that stands nowhere any more, and something must have come with its new value."""
    judged = _gone(given.renaming, (*given.pages, *given.memory))
    if not judged:
        _tell_unjudged(before, teller)
        return None
    stale = _standing(judged, now.texts())
    for value in stale[:_SHOWN]:
        teller.tell(
            "value",
            value,
            f"「{value}」: 페이지에 다른 값이 적혀 있어도 그대로 나왔어요. 페이지에서 읽은 값이 아니에요.",
            f"“{value}” came out although the page said something else: it was not read from the page.",
            before=value,
        )
    if stale:
        return False
    if not _new(judged, now.texts()):
        teller.tell(
            "value",
            "",
            "페이지에 적힌 값을 바꾸니 아무것도 나오지 않았어요. 오늘 본 값만 알아보는 코드예요.",
            "With other values on the page nothing of it came out: the code knows only those it saw today.",
        )
        return False
    return _columns(before, now, judged, given.kept, teller)


def pages_altered(before: Report, now: Report, given: Given, teller: Teller) -> bool | None:
    """With the memory as it was, not everything of one kind may stay as it was."""
    judged = _gone(given.renaming, given.pages)
    for part in (Renaming(phrases=judged.phrases), judged.numbers_only()):
        shown = [*part.phrases, *part.reported.values()]
        if shown and len(_standing(part, now.texts())) == len(shown) and not _new(part, now.texts()):
            teller.tell(
                "value",
                shown[0],
                f"「{shown[0]}」: 페이지가 달라져도 지난번에 기억한 값을 다시 내놓았어요.",
                f"“{shown[0]}” came from what was remembered last time, although the page says something else.",
                before=shown[0],
            )
            return False
    return True if judged else None


def nothing(before: Report, remembered: Report, now: Report, given: Given, teller: Teller) -> bool | None:
    """From pages that say nothing, no row may come that was read from a page on another day."""
    known = before.rows() | remembered.rows()
    for row in sorted(now.rows() & known):
        if _was_read(row, given):
            shown = ", ".join(row)[:200]
            teller.tell(
                "value",
                shown,
                f"「{shown}」: 페이지에 아무것도 없는데도 나왔어요.",
                f"“{shown}” came out although there was nothing on the page.",
                before=shown,
            )
            return False
    return True


def _was_read(row: Sequence[str], given: Given) -> bool:
    if len("".join(row)) < _TELLING_LINE:
        return False
    if _standing(given.renaming, row):
        return True
    for cell in row:
        told = names_something(cell) or any(telling(number) for number in numbers_in(cell))
        if told and cell not in given.kept and stands_in(cell, given.memory):
            return True
    return False


def _gone(renaming: Renaming, texts: Sequence[str]) -> Renaming:
    """Only what stands nowhere any more, however it may be written."""
    return Renaming(
        {old: new for old, new in renaming.phrases.items() if not stands_in(old, texts)},
        renaming.numbers,
        {names: shown for names, shown in renaming.reported.items() if not number_stands_in(names, texts)},
    )


def _standing(renaming: Renaming, texts: Iterable[str]) -> list[str]:
    """The values that are in the texts as they were, as they are shown to people."""
    lines = list(texts)
    there = {name for line in lines for number in numbers_in(line) for name in number.names}
    found = [
        phrase
        for phrase in renaming.phrases
        if (pattern := spelled([phrase])) is not None and any(pattern.search(line) for line in lines)
    ]
    return found + [shown for names, shown in renaming.reported.items() if names & there]


def _new(renaming: Renaming, texts: Iterable[str]) -> bool:
    lines = list(texts)
    pattern = spelled(renaming.phrases.values())
    if pattern is not None and any(pattern.search(line) for line in lines):
        return True
    others = {other.rstrip("0") for other in renaming.numbers.values()}
    return bool(renaming.reported) and any(
        number.digits.rstrip("0") in others for line in lines for number in numbers_in(line)
    )


def _columns(before: Report, now: Report, judged: Renaming, kept: str, teller: Teller) -> bool:
    """Columns of which nothing stands in the page: computed, or made up. One value in all rows is made up; others
    are told to the person."""
    fixed = {name for number in numbers_in(kept) for name in number.names}
    after = {file.name: file for file in now.files}
    for file in before.files:
        for place, name in enumerate(file.header):
            cells = [row[place] for row in file.rows if place < len(row) and row[place].strip()]
            later = after.get(file.name)
            same = later is not None and cells == [row[place] for row in later.rows if place < len(row)]
            numbers = [number for cell in cells for number in numbers_in(cell) if telling(number)]
            if not numbers or not same or _standing(judged, cells) or any(n.names & fixed for n in numbers):
                continue
            if len(cells) > 1 and len(set(cells)) == 1:
                teller.tell(
                    "value",
                    name,
                    f"「{name}」: 모든 줄에 같은 값({cells[0]})이 있는데, 페이지에는 없는 값이에요.",
                    f"“{name}”: every row has the same value ({cells[0]}), which is not on the page.",
                    before=cells[0],
                )
                return False
            teller.tell(
                "value",
                name,
                f"「{name}」: 페이지에 그대로 적혀 있지 않은 값이라, 맞게 읽었는지 확인하지 못했어요.",
                f"“{name}”: its values do not stand on the page, so whether they were read right could not be checked.",
                before=cells[0],
            )
    return True


def _tell_unjudged(before: Report, teller: Teller) -> None:
    unread = [file.name for file in before.files if not file.read]
    if unread and not before.texts():
        names = ", ".join(unread)[:200]
        teller.tell(
            "value",
            names,
            f"결과 파일({names})은 글이 아니라서, 페이지에서 읽은 값인지 확인하지 못했어요.",
            f"The results ({names}) are no text, so whether they were read from the page could not be checked.",
        )
        return
    teller.tell(
        "value",
        "",
        "나온 값이 페이지에 그대로 적혀 있지 않아서, 페이지에서 읽은 값인지 확인하지 못했어요.",
        "What came out does not stand on the pages, so whether it was read from them could not be checked.",
    )
