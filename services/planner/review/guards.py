"""Checks that code makes before it goes on: `if link not in ALLOWED: continue` leaves only what is in ALLOWED.

Three forms of condition tell something of a name: equal or member, `startswith`, and the host of `urlsplit(name)`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from services.planner.review.objects import items_of
from services.planner.review.values import HOLE, Ref, Value, is_whole, narrow, texts
from services.planner.review.world import Scope, World

Evaluate = Callable[[World, Scope, ast.expr], Value]
_SPLITS = frozenset({"urllib.parse.urlsplit", "urllib.parse.urlparse"})


def kept_when(
    world: World, scope: Scope, test: ast.expr, evaluate: Evaluate, *, holds: bool
) -> dict[str, Value]:
    """What names can only be when the condition holds, or when it does not."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return kept_when(world, scope, test.operand, evaluate, holds=not holds)
    if isinstance(test, ast.BoolOp):
        found: dict[str, Value] = {}
        if isinstance(test.op, ast.And) == holds:
            for part in test.values:
                found |= kept_when(world, scope, part, evaluate, holds=holds)
        return found
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return _compared(world, scope, test, evaluate, holds=holds)
    if holds and isinstance(test, ast.Call) and isinstance(test.func, ast.Attribute):
        return _begins(world, scope, test, test.func, evaluate)
    return {}


def _compared(
    world: World, scope: Scope, test: ast.Compare, evaluate: Evaluate, *, holds: bool
) -> dict[str, Value]:
    telling = (ast.Eq, ast.In) if holds else (ast.NotEq, ast.NotIn)
    if not isinstance(test.ops[0], telling):
        return {}
    value = evaluate(world, scope, test.comparators[0])
    if isinstance(test.ops[0], ast.In | ast.NotIn):
        value = items_of(world, value)
    strings = frozenset(atom for atom in value if isinstance(atom, str) and is_whole(atom))
    if not strings or strings != value - {None}:
        return {}
    if isinstance(test.left, ast.Name):
        return {test.left.id: strings}
    name = _split_name(world, scope, test.left, evaluate)
    return {name: narrow(f"https://{host}/{HOLE}" for host in texts(strings))} if name else {}


def _split_name(world: World, scope: Scope, node: ast.expr, evaluate: Evaluate) -> str | None:
    """The name in `urlsplit(name).hostname`."""
    if not isinstance(node, ast.Attribute) or node.attr not in ("hostname", "netloc"):
        return None
    call = node.value
    if not isinstance(call, ast.Call) or len(call.args) != 1 or not isinstance(call.args[0], ast.Name):
        return None
    callees = evaluate(world, scope, call.func)
    is_split = bool(callees) and all(isinstance(one, Ref) and one.name in _SPLITS for one in callees)
    return call.args[0].id if is_split else None


def _begins(
    world: World, scope: Scope, test: ast.Call, method: ast.Attribute, evaluate: Evaluate
) -> dict[str, Value]:
    if method.attr != "startswith" or not isinstance(method.value, ast.Name) or len(test.args) != 1:
        return {}
    starts = evaluate(world, scope, test.args[0])
    starts = frozenset(atom for atom in starts if isinstance(atom, str)) | items_of(
        world, frozenset(atom for atom in starts if not isinstance(atom, str))
    )
    told = [text for text in texts(starts) if is_whole(text) and text]
    if not told or len(told) != len(starts):
        return {}
    return {method.value.id: narrow(text + HOLE for text in told)}


def leaves(body: list[ast.stmt]) -> bool:
    return bool(body) and isinstance(body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)
