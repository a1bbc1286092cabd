"""The outcome contract, evaluated without a model over measured facts.

Semantics of each kind: docs/decisions/0013-outcome-contract.md. A check never raises: what is missing or
cannot be read is a check that did not hold, with a sentence that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from shared.agentfile import contract_words as words
from shared.agentfile import expressions
from shared.agentfile.contract_words import Said
from shared.agentfile.facts import ColumnFact, DeliveryFact, Facts, FileFact
from shared.agentfile.model import Check, Language, Part


class CheckResult(Part):
    """One check read against one run.

    says      the check's own sentence: what should hold
    held      whether it did
    sentence  what was seen and what was expected, for a person
    """

    check: str
    says: str
    held: bool
    sentence: str


class _Seen(NamedTuple):
    held: bool
    said: Said


def evaluate(checks: Sequence[Check], facts: Facts, language: Language = "ko") -> list[CheckResult]:
    """One result per check, in order. Pure: the same facts give the same results."""
    results = []
    for check in checks:
        seen = _EVALUATORS[check.check](check, facts)
        results.append(
            CheckResult(
                check=check.check,
                says=check.says,
                held=seen.held,
                sentence=seen.said[0 if language == "ko" else 1],
            )
        )
    return results


def is_vacuous(checks: Sequence[Check], language: Language = "ko") -> str | None:
    """Why a contract proves nothing, or None when it proves something.

    It proves nothing when a run that did nothing keeps it, or one that left every file it names empty and
    sent one blank report.
    """
    ko = language == "ko"
    if not checks:
        return (
            "확인 조건이 없어요. 무엇이 나와야 하는지 하나 이상 정해 주세요."
            if ko
            else "There is no check. Say at least one thing that must come out."
        )
    hollow = Facts(files={path: _hollow(path) for path in _paths(checks)}, deliveries=_blank_reports(checks))
    if all(result.held for result in evaluate(checks, Facts())):
        return (
            "아무 일도 하지 않은 실행도 이 조건을 지켜요. 결과물이 있는지 확인하는 조건을 더해 주세요."
            if ko
            else "A run that did nothing would keep this. Add a check that something came out."
        )
    if all(result.held for result in evaluate(checks, hollow)):
        return (
            "빈 결과도 이 조건을 지켜요. 줄 수나 들어 있어야 할 내용을 확인하는 조건을 더해 주세요."
            if ko
            else "An empty result would keep this. Add a check on how many rows or which content."
        )
    return None


def _paths(checks: Sequence[Check]) -> set[str]:
    named = {check.path for check in checks if check.path is not None}
    for check in checks:
        if check.expr is not None:
            named.update(expressions.paths(check.expr))
    return named


def _hollow(path: str) -> FileFact:
    """A file of that name with nothing in it."""
    kind = path.rsplit(".", 1)[-1].lower()
    return FileFact(size=0, kind=kind, rows=0, text_length=0)


def _blank_reports(checks: Sequence[Check]) -> tuple[DeliveryFact, ...]:
    """A report without a word to each channel the checks name."""
    channels = {channel for check in checks if check.check == "delivered" for channel in check.contains}
    return tuple(DeliveryFact(channel=channel) for channel in sorted(channels) or ["inbox"])


def _file(check: Check, facts: Facts) -> _Seen:
    file = facts.files.get(check.path or "")
    if file is None:
        return _Seen(False, words.no_file(check.path or ""))
    path, low = check.path or "", 1.0 if check.min is None else check.min
    if check.contains and file.kind not in {kind.lower() for kind in check.contains}:
        return _Seen(False, words.wrong_kind(path, file.kind, check.contains))
    return _Seen(_within(file.size, low, check.max), words.amount(path, "bytes", file.size, low, check.max))


def _rows(check: Check, facts: Facts) -> _Seen:
    file, gone = _table(check, facts)
    if file is None or file.rows is None:
        return gone
    low = 1.0 if check.min is None else check.min
    held = _within(file.rows, low, check.max) and not (file.more_rows and check.max is not None)
    return _Seen(held, words.amount(check.path or "", "rows", file.rows, low, check.max))


def _fields(check: Check, facts: Facts) -> _Seen:
    file, gone = _table(check, facts)
    if file is None:
        return gone
    path, missing = check.path or "", [name for name in check.fields if file.column(name) is None]
    if missing and file.rows != 0:
        return _Seen(False, words.no_columns(path, missing))
    for name in check.fields:
        column = file.column(name)
        if column is None:
            continue
        problem = _column_problem(check, path, column, file.rows or 0)
        if problem is not None:
            return _Seen(False, problem)
    return _Seen(True, words.columns_fine(path, check.fields))


def _column_problem(check: Check, path: str, column: ColumnFact, rows: int) -> Said | None:
    """The first thing wrong with a column's values; None when all are right."""
    name = column.name
    if column.empty:
        return words.blanks(path, name, column.empty)
    if check.min is not None or check.max is not None:
        if column.numbers < rows:
            return words.not_numbers(path, name, rows - column.numbers)
        for value in (column.low, column.high):
            if value is not None and not _within(value, check.min, check.max):
                return words.out_of_range(path, name, value, check.min, check.max)
    if check.contains:
        others = [value for value in column.values if value not in check.contains]
        if others or column.more_values:
            return words.other_values(path, name, others, check.contains)
    banned = [value for value in column.values if value in check.excludes]
    if banned or (check.excludes and column.more_values):
        return words.banned_values(path, name, banned)
    return None


def _fresh(check: Check, facts: Facts) -> _Seen:
    file, gone = _table(check, facts)
    if file is None:
        return gone
    path, name, limit = check.path or "", (check.fields or ("",))[0], check.max_age_s or 0
    column = file.column(name)
    newest = _moment(column.newest) if column is not None and column.newest is not None else None
    now = _moment(facts.now)
    if newest is None or now is None or column is None:
        return _Seen(False, words.no_date(path, name))
    age = (now - newest).total_seconds()
    return _Seen(age <= limit, words.age(path, column.newest or "", age, limit))


def _change(check: Check, facts: Facts) -> _Seen:
    path = check.path or ""
    file = facts.files.get(path)
    if file is None:
        return _Seen(False, words.no_file(path))
    before = (facts.previous or {}).get(path)
    if before is None:
        return _Seen(True, words.first_time(path))
    if check.min is None and check.max is None:
        return _Seen(file.sha256 != before.sha256, words.changed(path, file.sha256 != before.sha256))
    if file.rows is None:
        return _Seen(False, words.no_table(path, file.unreadable))
    if not before.rows:
        return _Seen(True, words.first_time(path))
    factor = file.rows / before.rows
    return _Seen(
        _within(factor, check.min, check.max),
        words.growth(path, before.rows, file.rows, check.min, check.max),
    )


def _text(check: Check, facts: Facts) -> _Seen:
    if check.path is None:
        text = "\n".join(delivery.text for delivery in facts.deliveries)
        where, length = None, len(text)
        if not facts.deliveries:
            return _Seen(False, words.nothing_queued())
    else:
        file = facts.files.get(check.path)
        if file is None:
            return _Seen(False, words.no_file(check.path))
        if file.text_length is None:
            return _Seen(False, words.no_text(check.path, file.unreadable))
        text, where, length = file.text, check.path, file.text_length
    lowered = text.casefold()
    missing = [word for word in check.contains if word.casefold() not in lowered]
    if missing:
        return _Seen(False, words.lacks(where, missing))
    found = [word for word in check.excludes if word.casefold() in lowered]
    if found:
        return _Seen(False, words.has(where, found))
    return _Seen(_within(length, check.min, check.max), words.length(where, length, check.min, check.max))


def _delivered(check: Check, facts: Facts) -> _Seen:
    count, low = len(facts.deliveries), 1.0 if check.min is None else check.min
    reached = {delivery.channel for delivery in facts.deliveries}
    missing = [channel for channel in check.contains if channel not in reached]
    if missing:
        return _Seen(False, words.no_channel(missing))
    return _Seen(_within(count, low, check.max), words.queued(count, low, check.max))


def _expr(check: Check, facts: Facts) -> _Seen:
    text = check.expr or ""
    try:
        return _Seen(expressions.holds(text, facts), words.expression(text))
    except expressions.Missing as error:
        return _Seen(False, words.no_value(str(error)))
    except expressions.NoPrevious as error:
        return _Seen(True, words.first_time(str(error)))
    except (ValueError, ZeroDivisionError, OverflowError):
        return _Seen(False, words.unusable(text))


_EVALUATORS: dict[str, Callable[[Check, Facts], _Seen]] = {
    "file": _file,
    "rows": _rows,
    "fields": _fields,
    "fresh": _fresh,
    "change": _change,
    "text": _text,
    "delivered": _delivered,
    "expr": _expr,
}


def _table(check: Check, facts: Facts) -> tuple[FileFact | None, _Seen]:
    """The table a check is about, or None and what to say instead."""
    path = check.path or ""
    file = facts.files.get(path)
    if file is None:
        return None, _Seen(False, words.no_file(path))
    gone = _Seen(False, words.no_table(path, file.unreadable))
    return (None if file.rows is None else file), gone


def _within(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
