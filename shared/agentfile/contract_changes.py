"""What changes when one contract takes the place of another: promises no longer made, and promises new or stricter.

Every contract is taken apart into single promises, each about one subject (the rows of a file, one column, the
report) and one aspect of it. What several checks say of the same aspect is taken together, so neither their order
nor how they are split plays a part. Pure.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from shared.agentfile import expressions
from shared.agentfile.contract_rules import TAKES
from shared.agentfile.contract_words import Said, bounds, number, span
from shared.agentfile.model import Check, Language

Bound = float | frozenset[str]


class Subject(NamedTuple):
    """kind: that of the check. path: empty for the report. part: a column, or an expression's spelling."""

    kind: str
    path: str = ""
    part: str = ""


# subject -> aspect -> what is promised. An aspect is one of _TIGHTER.
Promises = dict[Subject, dict[str, Bound]]


class ContractDiff(NamedTuple):
    """Sentences, each for one promise. Both empty: the contracts promise the same."""

    weaker: tuple[str, ...]
    stronger: tuple[str, ...]


def weakened(before: Sequence[Check], after: Sequence[Check], language: Language = "ko") -> tuple[str, ...]:
    """One sentence for each promise of `before` that `after` no longer makes; empty when it is at least as
    strong. The sentences of the checks (`says`) are no promises: only what is measured counts."""
    old, new = promises(before), promises(after)
    said = _says(before)
    found: list[Said] = []
    for subject, wanted in old.items():
        kept = new.get(subject)
        if kept is None:
            moved = _moved_to(subject, old, new)
            found.append(_gone(subject, said[subject]) if moved is None else _elsewhere(subject, moved))
            continue
        for aspect, bound in wanted.items():
            if not _implied(aspect, bound, kept.get(aspect)):
                found.append(_looser(subject, aspect, bound, kept.get(aspect)))
    return tuple(dict.fromkeys(one[0 if language == "ko" else 1] for one in found))


def contract_diff(before: Sequence[Check], after: Sequence[Check], language: Language = "ko") -> ContractDiff:
    """Everything that differs, for showing a change before it is decided."""
    old, new = promises(before), promises(after)
    said = _says(after)
    found: list[Said] = []
    for subject, wanted in new.items():
        kept = old.get(subject)
        if kept is None:
            if _moved_to(subject, new, old) is None:
                found.append(_added(subject, said[subject]))
            continue
        for aspect, bound in wanted.items():
            if not _implied(aspect, bound, kept.get(aspect)):
                found.append(_stricter(subject, aspect, bound, kept.get(aspect)))
    stronger = tuple(dict.fromkeys(one[0 if language == "ko" else 1] for one in found))
    return ContractDiff(weakened(before, after, language), stronger)


def promises(checks: Sequence[Check]) -> Promises:
    """What a contract promises, in the order of its checks."""
    found: Promises = {}
    for check in checks:
        for subject, aspect, bound in _taken_apart(check):
            aspects = found.setdefault(subject, {})
            aspects[aspect] = _both(aspect, aspects[aspect], bound) if aspect in aspects else bound
    return found


# Which of two bounds on one aspect is the tighter, and so the one that holds when both are promised.
_LOWS = frozenset({"min", "above", "min_width", "min_height"})
_HIGHS = frozenset({"max", "below", "max_age_s"})
_NARROWS = frozenset({"only", "kinds"})  # sets of what is allowed; all others are sets of what is asked for


def _both(aspect: str, one: Bound, other: Bound) -> Bound:
    if isinstance(one, frozenset) and isinstance(other, frozenset):
        return one & other if aspect in _NARROWS else one | other
    assert not isinstance(one, frozenset) and not isinstance(other, frozenset)
    return min(one, other) if aspect in _HIGHS else max(one, other)


def _implied(aspect: str, wanted: Bound, kept: Bound | None) -> bool:
    return kept is not None and _both(aspect, wanted, kept) == kept


def _taken_apart(check: Check) -> Iterator[tuple[Subject, str, Bound]]:
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


def _says(checks: Sequence[Check]) -> dict[Subject, str]:
    """The sentence of the first check that speaks of each subject."""
    found: dict[Subject, str] = {}
    for check in checks:
        for subject, _, _ in _taken_apart(check):
            found.setdefault(subject, check.says)
    return found


def _moved_to(subject: Subject, here: Promises, there: Promises) -> Subject | None:
    """The same promise about another file, where there is one that the old contract does not speak of."""
    for other in there:
        same = (other.kind, other.part) == (subject.kind, subject.part)
        if same and other.path and subject.path and other not in here:
            if all(_implied(aspect, bound, there[other].get(aspect)) for aspect, bound in here[subject].items()):
                return other
    return None
