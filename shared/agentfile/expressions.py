"""The language of `expr` checks: comparisons of numbers that were measured. Nothing in it can call, loop,
index or reach an attribute; its length and its tree are bounded.

    rows("outputs/items.csv") >= rows_before * 0.5 and deliveries() > 0
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from contextlib import suppress

from shared.agentfile.facts import Facts, FileFact

MAX_LENGTH = 300
MAX_NODES = 80
MAX_NUMBER = 1e12

# Functions: name -> how many texts they take. Of one file: "path"; of one column: "path", "column".
FUNCTIONS = {
    "rows": 1,  # records in the file
    "rows_before": 1,  # the same in the last delivered run; also as a bare name for the only file named
    "size": 1,  # bytes
    "exists": 1,  # 1 or 0, never missing
    "characters": 1,  # length of a text file
    "lowest": 2,  # least number in a column
    "highest": 2,  # greatest number in a column
    "median": 2,  # the number in the middle of a column
    "distinct": 2,  # how many different values a column has
    "repeats": 2,  # rows whose value was there before
    "empty": 2,  # rows in which the column is blank
    "deliveries": 0,  # reports queued
}


class Missing(Exception):
    """A measured value the expression needs is not there; args: the path, or "path:column"."""


class NoPrevious(Exception):
    """It compares with an earlier run and there is none."""


def parse(text: str) -> ast.expr:
    """The checked tree. Raises ValueError with the part that is not allowed."""
    if len(text) > MAX_LENGTH:
        raise ValueError(f"> {MAX_LENGTH}")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(text[:60]) from error
    if sum(1 for _ in ast.walk(tree)) > MAX_NODES:
        raise ValueError(f"> {MAX_NODES}")
    _check(tree, _paths(tree))
    return tree


def paths(text: str) -> list[str]:
    """The files an expression names, in order, each once."""
    return _paths(parse(text))


def holds(text: str, facts: Facts) -> bool:
    """Raises Missing, NoPrevious (only when nothing is missing), ZeroDivisionError, ValueError."""
    tree = parse(text)
    only = (_paths(tree) or [""])[0]
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    # Every value is looked up before any is compared: what is missing must not hide behind `or`.
    for call in sorted(calls, key=lambda node: _name(node) == "rows_before"):
        _measured(call, facts)
    return bool(_value(tree, facts, only))


def measured(text: str, facts: Facts) -> dict[str, float]:
    """Each thing the expression looks up, as it is spelled, with its value; without those that are not there."""
    tree = parse(text)
    only = (_paths(tree) or [""])[0]
    nodes = list(ast.walk(tree))
    called = [node.func for node in nodes if isinstance(node, ast.Call)]
    found: dict[str, float] = {}
    for node in nodes:
        if isinstance(node, ast.Call) or (isinstance(node, ast.Name) and node not in called):
            with suppress(Missing, NoPrevious):
                value = _measured(node, facts) if isinstance(node, ast.Call) else _before(only, facts)
                found[ast.unparse(node).replace("'", '"')] = value
    return found


def _paths(tree: ast.expr) -> list[str]:
    named = [
        str(node.args[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)
    ]
    return list(dict.fromkeys(named))


_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _check(node: ast.expr, named: list[str]) -> None:
    """Raises ValueError at the first node that is not of the language."""
    match node:
        case ast.BoolOp(values=values):
            inner: list[ast.expr] = values
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            inner = [operand]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            inner = [left, right]
        case ast.Compare(left=left, ops=ops, comparators=others) if all(type(o) in _COMPARISONS for o in ops):
            inner = [left, *others]
        case ast.Constant(value=bool()):
            raise ValueError(ast.unparse(node))
        case ast.Constant(value=int() | float() as number) if abs(number) <= MAX_NUMBER:
            inner = []
        case ast.Name(id="rows_before") if len(named) == 1:
            inner = []
        case ast.Call(keywords=[], args=args) if FUNCTIONS.get(_name(node)) == len(args):
            if not all(isinstance(arg, ast.Constant) and isinstance(arg.value, str) for arg in args):
                raise ValueError(ast.unparse(node)[:60])
            inner = []
        case _:
            raise ValueError(ast.unparse(node)[:60])
    for child in inner:
        _check(child, named)


def _value(node: ast.expr, facts: Facts, only: str) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name():
            return _before(only, facts)
        case ast.Call():
            return _measured(node, facts)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return float(not _value(operand, facts, only))
        case ast.UnaryOp(operand=operand):
            return -_value(operand, facts, only)
        case ast.BinOp(left=left, op=op, right=right):
            return _ARITHMETIC[type(op)](_value(left, facts, only), _value(right, facts, only))
        case ast.BoolOp(op=ast.And(), values=values):
            return float(all(_value(value, facts, only) for value in values))
        case ast.BoolOp(values=values):
            return float(any(_value(value, facts, only) for value in values))
        case ast.Compare(left=left, ops=ops, comparators=others):
            numbers = [_value(part, facts, only) for part in (left, *others)]
            pairs = zip(ops, numbers, numbers[1:], strict=False)
            return float(all(_COMPARISONS[type(op)](a, b) for op, a, b in pairs))
    raise ValueError(ast.dump(node)[:60])


def _measured(call: ast.Call, facts: Facts) -> float:
    name = _name(call)
    texts = [str(arg.value) for arg in call.args if isinstance(arg, ast.Constant)]
    if name == "deliveries":
        return len(facts.deliveries)
    path = texts[0]
    if name == "rows_before":
        return _before(path, facts)
    if name == "exists":
        return float(path in facts.files)
    file = facts.files.get(path)
    if file is None:
        raise Missing(path)
    number = _of_column(name, file, texts[1]) if len(texts) == 2 else _of_file(name, file)
    if number is None:
        raise Missing(":".join(texts))
    return number


def _of_file(name: str, file: FileFact) -> float | None:
    return {"rows": file.rows, "size": file.size, "characters": file.text_length}[name]


def _of_column(name: str, file: FileFact, column: str) -> float | None:
    fact = file.column(column)
    if fact is None:
        return None
    return {
        "lowest": fact.low,
        "highest": fact.high,
        "median": fact.median,
        "distinct": fact.distinct,
        "repeats": fact.repeats,
        "empty": fact.empty,
    }[name]


def _before(path: str, facts: Facts) -> float:
    file = (facts.previous or {}).get(path)
    if file is None or file.rows is None:
        raise NoPrevious(path)
    return file.rows
