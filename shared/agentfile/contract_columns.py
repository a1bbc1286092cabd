"""What is wrong with one column of a table, as a `fields` check sees it."""

from __future__ import annotations

from shared.agentfile import contract_words as words
from shared.agentfile import legible
from shared.agentfile.contract_words import Said
from shared.agentfile.facts import ColumnFact
from shared.agentfile.model import Check


def within(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


# Broken letters in so many of the values that were kept are the run's fault, fewer a page's own.
_BROKEN_SHARE = 0.1
_COUNTED = {"text": "texts", "number": "numbers", "date": "dates", "url": "links"}


def column_problem(check: Check, path: str, column: ColumnFact, rows: int) -> Said | None:
    """The first thing wrong with a column's values; None when all are right, and where there are no rows."""
    if rows == 0:
        return None
    name = column.name
    if column.empty:
        return words.blanks(path, name, column.empty)
    broken = [value for value in column.values if legible.broken(value)]
    if len(broken) > _BROKEN_SHARE * len(column.values):
        return words.broken_letters(path, name, broken)
    if check.format is not None:
        others = rows - int(getattr(column, _COUNTED[check.format]))
        if others > 0:
            return words.not_format(path, name, others, check.format)
    return _number_problem(check, path, column, rows) or _value_problem(check, path, column)


def _number_problem(check: Check, path: str, column: ColumnFact, rows: int) -> Said | None:
    if check.min is None and check.max is None:
        return None
    if column.numbers < rows:
        return words.not_numbers(path, column.name, rows - column.numbers)
    for value in (column.low, column.high):
        if value is not None and not within(value, check.min, check.max):
            return words.out_of_range(path, column.name, value, check.min, check.max)
    return None


def _value_problem(check: Check, path: str, column: ColumnFact) -> Said | None:
    name = column.name
    if check.unique and column.repeats != 0:
        return words.repeated(path, name, column.repeats)
    if check.language is not None and not legible.speaks("\n".join(column.values), check.language):
        return words.other_language(words.column(path, name), check.language)
    if check.contains:
        others = [value for value in column.values if value not in check.contains]
        if others or column.more_values:
            return words.other_values(path, name, others, check.contains)
    banned = [value for value in column.values if value in check.excludes]
    if banned or (check.excludes and column.more_values):
        return words.banned_values(path, name, banned)
    return None
