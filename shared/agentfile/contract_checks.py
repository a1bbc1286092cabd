"""What each kind of check sees in measured facts: whether it held, and what a person is told.

Semantics of each kind: docs/decisions/0013-outcome-contract.md. Nothing here raises.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from shared.agentfile import contract_words as words
from shared.agentfile import expressions, legible
from shared.agentfile.contract_columns import column_problem, within
from shared.agentfile.contract_words import Said
from shared.agentfile.facts import Facts, FileFact
from shared.agentfile.model import Check

# A date without an offset may be a day ahead of UTC; beyond that it has not come yet.
FUTURE_S = 86_400
# Kinds that are whole or of no use: cut, they open in no program.
_WHOLE = frozenset({"xlsx", "docx", "pptx", "zip", "png", "jpeg", "gif", "pdf"})
_BROKEN_LINES = 0.1
_TOO_MUCH = frozenset({"too large", "too much content"})


class Seen(NamedTuple):
    held: bool
    said: Said


def look(check: Check, facts: Facts) -> Seen:
    return _KINDS[check.check](check, facts)


def _file(check: Check, facts: Facts) -> Seen:
    file = facts.files.get(check.path or "")
    if file is None:
        return Seen(False, words.no_file(check.path or ""))
    path, low = check.path or "", 1.0 if check.min is None else check.min
    if file.kind == "html" and "html" not in check.contains and not path.lower().endswith((".html", ".htm")):
        return Seen(False, words.web_page(path))
    if check.contains and file.kind not in {kind.lower() for kind in check.contains}:
        return Seen(False, words.wrong_kind(path, file.kind, check.contains))
    if file.kind in _WHOLE and file.unreadable is not None and file.unreadable not in _TOO_MUCH:
        return Seen(False, words.damaged(path, file.unreadable))
    for seen, low_edge in ((file.width, check.min_width), (file.height, check.min_height)):
        if low_edge is not None and (seen is None or seen < low_edge):
            return Seen(False, words.small(path, file.width, file.height, check.min_width, check.min_height))
    return Seen(within(file.size, low, check.max), words.amount(path, "bytes", file.size, low, check.max))


def _rows(check: Check, facts: Facts) -> Seen:
    file, gone = _table(check, facts)
    if file is None or file.rows is None:
        return gone
    low = 1.0 if check.min is None else check.min
    held = within(file.rows, low, check.max) and not (file.more_rows and check.max is not None)
    return Seen(held, words.amount(check.path or "", "rows", file.rows, low, check.max))


def _fields(check: Check, facts: Facts) -> Seen:
    file, gone = _table(check, facts)
    if file is None:
        return gone
    path, missing = check.path or "", [name for name in check.fields if file.column(name) is None]
    if missing and file.rows != 0:
        return Seen(False, words.no_columns(path, missing))
    for name in check.fields:
        column = file.column(name)
        if column is None:
            continue
        problem = column_problem(check, path, column, file.rows or 0)
        if problem is not None:
            return Seen(False, problem)
    return Seen(True, words.columns_fine(path, check.fields))


def _fresh(check: Check, facts: Facts) -> Seen:
    file, gone = _table(check, facts)
    if file is None:
        return gone
    path, name, limit = check.path or "", (check.fields or ("",))[0], check.max_age_s or 0
    column = file.column(name)
    newest = _moment(column.newest) if column is not None and column.newest is not None else None
    now = _moment(facts.now)
    if newest is None or now is None or column is None:
        return Seen(False, words.no_date(path, name))
    age = (now - newest).total_seconds()
    if age < -FUTURE_S:
        return Seen(False, words.not_come(path, name, column.newest or ""))
    return Seen(age <= limit, words.age(path, column.newest or "", age, limit))


def _change(check: Check, facts: Facts) -> Seen:
    path = check.path or ""
    file = facts.files.get(path)
    if file is None:
        return Seen(False, words.no_file(path))
    before = (facts.previous or {}).get(path)
    if before is None:
        return Seen(True, words.first_time(path))
    if check.fields:
        return _column_change(check, path, file, before)
    if check.min is None and check.max is None:
        return Seen(file.sha256 != before.sha256, words.changed(path, file.sha256 != before.sha256))
    if file.rows is None:
        return Seen(False, words.not_table(path, file))
    if not before.rows:
        return Seen(True, words.first_time(path))
    factor = file.rows / before.rows
    return Seen(
        within(factor, check.min, check.max),
        words.growth(path, before.rows, file.rows, check.min, check.max),
    )


def _column_change(check: Check, path: str, file: FileFact, before: FileFact) -> Seen:
    """The middle of a column's numbers against last time's. There is no factor to a middle that was not above 0."""
    name = check.fields[0]
    now, then = file.column(name), before.column(name)
    if now is None and file.rows != 0:
        return Seen(False, words.no_columns(path, [name]) if file.rows else words.not_table(path, file))
    if now is None or not file.rows or then is None or then.median is None or then.median <= 0:
        return Seen(True, words.first_time(path))
    if now.median is None:
        return Seen(False, words.not_numbers(path, name, file.rows))
    held = within(now.median / then.median, check.min, check.max)
    return Seen(held, words.moved(path, name, then.median, now.median, check.min, check.max))


def _text(check: Check, facts: Facts) -> Seen:
    if check.path is None:
        text = "\n".join(delivery.text for delivery in facts.deliveries)
        where, length = None, len(text)
        if not facts.deliveries:
            return Seen(False, words.nothing_queued())
    else:
        file = facts.files.get(check.path)
        if file is None:
            return Seen(False, words.no_file(check.path))
        if file.text_length is None:
            return Seen(False, words.no_text(check.path, file.unreadable))
        text, where, length = file.text, check.path, file.text_length
    lowered = text.casefold()
    missing = [word for word in check.contains if word.casefold() not in lowered]
    if missing:
        return Seen(False, words.lacks(where, missing))
    found = [word for word in check.excludes if word.casefold() in lowered]
    if found:
        return Seen(False, words.has(where, found))
    broken, lines = legible.broken_lines(text)
    if broken > _BROKEN_LINES * lines:
        return Seen(False, words.broken_text(where, broken))
    if check.language is not None and not legible.speaks(text, check.language):
        return Seen(False, words.other_language(words.report(where), check.language))
    return Seen(within(length, check.min, check.max), words.length(where, length, check.min, check.max))


def _delivered(check: Check, facts: Facts) -> Seen:
    count, low = len(facts.deliveries), 1.0 if check.min is None else check.min
    reached = {delivery.channel for delivery in facts.deliveries}
    missing = [channel for channel in check.contains if channel not in reached]
    if missing:
        return Seen(False, words.no_channel(missing))
    return Seen(within(count, low, check.max), words.queued(count, low, check.max))


def _expr(check: Check, facts: Facts) -> Seen:
    text = check.expr or ""
    try:
        return Seen(expressions.holds(text, facts), words.expression(text, expressions.measured(text, facts)))
    except expressions.Missing as error:
        return Seen(False, words.no_value(str(error)))
    except expressions.NoPrevious as error:
        return Seen(True, words.first_time(str(error)))
    except (ValueError, ZeroDivisionError, OverflowError):
        return Seen(False, words.unusable(text))


_KINDS: dict[str, Callable[[Check, Facts], Seen]] = {
    "file": _file,
    "rows": _rows,
    "fields": _fields,
    "fresh": _fresh,
    "change": _change,
    "text": _text,
    "delivered": _delivered,
    "expr": _expr,
}


def _table(check: Check, facts: Facts) -> tuple[FileFact | None, Seen]:
    """The table a check is about, or None and what to say instead."""
    path = check.path or ""
    file = facts.files.get(path)
    if file is None:
        return None, Seen(False, words.no_file(path))
    gone = Seen(False, words.not_table(path, file))
    return (None if file.rows is None else file), gone


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
