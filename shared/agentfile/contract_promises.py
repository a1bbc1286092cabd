"""A contract taken apart into single promises, each about one subject (the rows of a file, one column, the report)
and one aspect of it. What several checks say of the same aspect is taken together, so neither their order nor how
they are split plays a part. Pure.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from shared.agentfile import expressions
from shared.agentfile.contract_rules import TAKES
from shared.agentfile.model import Check

Bound = float | frozenset[str]


class Subject(NamedTuple):
    """kind: that of the check. path: empty for the report. part: a column, or an expression's spelling."""

    kind: str
    path: str = ""
    part: str = ""


# subject -> aspect -> what is promised: a number, or a set of words.
Promises = dict[Subject, dict[str, Bound]]


def promises(checks: Sequence[Check]) -> Promises:
    """What a contract promises, in the order of its checks."""
    found: Promises = {}
    for check in checks:
        for subject, aspect, bound in taken_apart(check):
            aspects = found.setdefault(subject, {})
            aspects[aspect] = _both(aspect, aspects[aspect], bound) if aspect in aspects else bound
    return found


# Which of two bounds on one aspect is the tighter, and so the one that holds when both are promised.
_HIGHS = frozenset({"max", "below", "max_age_s"})
_NARROWS = frozenset({"only", "kinds"})  # sets of what is allowed; all others are sets of what is asked for


def _both(aspect: str, one: Bound, other: Bound) -> Bound:
    if isinstance(one, frozenset) and isinstance(other, frozenset):
        return one & other if aspect in _NARROWS else one | other
    if isinstance(one, frozenset) or isinstance(other, frozenset):
        raise TypeError(aspect)
    return min(one, other) if aspect in _HIGHS else max(one, other)


def implied(aspect: str, wanted: Bound, kept: Bound | None) -> bool:
    return kept is not None and _both(aspect, wanted, kept) == kept


def taken_apart(check: Check) -> Iterator[tuple[Subject, str, Bound]]:
    if check.expr is not None:
        yield from _of_expression(check.expr)
        return
    by_column = check.fields and "fields" in TAKES[check.check][0] | TAKES[check.check][1]
    for part in check.fields if by_column else ("",):
        subject = Subject(check.check, check.path or "", part.strip())
        yield subject, "there", 1.0
        for aspect, bound in _aspects(check):
            yield subject, aspect, bound


def _aspects(check: Check) -> Iterator[tuple[str, Bound]]:
    """What one check asks of each of its subjects, its kind's defaults filled in."""
    low = check.min
    if low is None and check.check in ("file", "rows", "delivered"):
        low = 1.0
    if check.check == "change" and check.min is None and check.max is None:
        yield "differs", 1.0
    numbers: tuple[tuple[str, float | None], ...] = (
        ("min", low),
        ("max", check.max),
        ("max_age_s", check.max_age_s),
        ("min_width", check.min_width),
        ("min_height", check.min_height),
        ("unique", 1.0 if check.unique else None),
    )
    yield from ((aspect, float(bound)) for aspect, bound in numbers if bound is not None)
    folded = check.check in ("text", "file")  # letter case does not count there
    contains, excludes = (
        frozenset(word.casefold() if folded else word for word in words)
        for words in (check.contains, check.excludes)
    )
    if contains:
        yield {"file": "kinds", "fields": "only"}.get(check.check, "contains"), contains
    if excludes:
        yield "excludes", excludes
    for aspect, word in (("format", check.format), ("language", check.language)):
        if word is not None:
            yield aspect, frozenset({word})
    if check.check == "fields" and check.format is None and (check.min is not None or check.max is not None):
        yield "format", frozenset({"number"})


_ORDERED: dict[type[ast.cmpop], str] = {ast.GtE: "min", ast.Gt: "above", ast.LtE: "max", ast.Lt: "below"}


def _of_expression(text: str) -> Iterator[tuple[Subject, str, Bound]]:
    """Parts joined by `and`; of a part that compares something with a plain number, that number as its bound."""
    try:
        tree = expressions.parse(text)
    except ValueError:
        yield Subject("expr", part=text), "there", 1.0
        return
    whole = tree.values if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else [tree]
    for part in whole:
        match part:
            case ast.Compare(left=ast.Call() as left, ops=[op], comparators=[ast.Constant(value=bound)]) if (
                type(op) in _ORDERED and isinstance(bound, int | float)
            ):
                subject = Subject("expr", part=ast.unparse(left).replace("'", '"'))
                yield subject, "there", 1.0
                yield subject, _ORDERED[type(op)], float(bound)
            case _:
                yield Subject("expr", part=ast.unparse(part).replace("'", '"')), "there", 1.0
