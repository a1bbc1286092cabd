"""What a call gives, and what it hands to a function of the bundle, also one that is passed on as a value."""

from __future__ import annotations

import ast

from services.planner.review import builtin_calls, folding, methods, outside
from services.planner.review.arguments import Arguments
from services.planner.review.objects import attribute, items_of
from services.planner.review.values import (
    ANYTHING,
    NOTHING,
    Atom,
    Box,
    Class,
    Function,
    Method,
    Partial,
    Ref,
    Unknown,
    Value,
    one,
)
from services.planner.review.world import Scope, World

MOST_NESTED = 4
# Methods and functions that call their first argument with each item of the others, or with the others.
_FOR_EACH = frozenset(
    {"map", "imap", "imap_unordered", "map_async", "filter", "apply", "starmap", "sorted", "min", "max"}
)
_WITH_REST = frozenset(
    "submit run_in_executor to_thread call_soon call_later apply_async partial partialmethod do add_job register "
    "create_task ensure_future run run_until_complete wait_for".split()
)


def invoke(
    world: World, scope: Scope, node: ast.AST, callee: Atom, arguments: Arguments, nested: int = 0
) -> Value:
    if nested > MOST_NESTED:
        return ANYTHING
    if isinstance(callee, Function):
        return _enter(world, callee, arguments)
    if isinstance(callee, Class):
        return _make(world, callee, arguments)
    if isinstance(callee, Partial):
        return _complete(world, scope, node, callee, arguments, nested)
    if isinstance(callee, Box) and callee.kind == "object":
        value: Value = NOTHING
        for found in attribute(world, callee, "__call__"):
            if not isinstance(found, Unknown):
                value |= invoke(world, scope, node, found, arguments, nested + 1)
        return value or world.missing
    passed = _pass_on(world, scope, node, callee, arguments, nested)
    if isinstance(callee, Method):
        return passed or methods.call(world, scope, node, callee, arguments)
    if isinstance(callee, Ref):
        if callee.name in ("functools.partial", "functools.partialmethod") and arguments.positional:
            return _partial(world, scope, node, arguments)
        known = builtin_calls.call(world, scope, node, callee, arguments)
        seen = outside.call(world, scope, node, callee, arguments)
        return passed or (known if known is not None else seen)
    outside.method_of_anything(world, scope, node, arguments)
    return passed or world.missing


def _enter(world: World, function: Function, arguments: Arguments) -> Value:
    shape, own = world.shapes[function.scope], world.scopes[function.scope]
    positional = list(arguments.positional)
    names = list(shape.positional)
    if shape.takes_owner and function.owner is not None:
        positional.insert(0, one(function.owner))
    for index, value in enumerate(positional):
        if index < len(names):
            world.bind(own, names[index], value)
        elif shape.rest is not None:
            _gather(world, own, shape.rest, None, value)
    given = set(names[: len(positional)]) | set(arguments.keywords)
    if arguments.rest:
        for name in (*names, *shape.keyword_only):
            if name not in given:
                world.bind(own, name, arguments.rest)
    for name, value in arguments.keywords.items():
        if name in names or name in shape.keyword_only:
            world.bind(own, name, value)
        elif shape.extra is not None:
            _gather(world, own, shape.extra, name, value)
    if shape.makes_items:
        return one(Box(f"items:{function.scope}", "list"))
    return world.returns.get(function.scope, NOTHING) or (one(None) if world.settled else NOTHING)


def _gather(world: World, own: Scope, name: str, key: str | None, value: Value) -> None:
    box = Box(f"{own.number}:{name}", "list" if key is None else "dict")
    world.heap.put(box, key, value)
    world.bind(own, name, one(box))


def _make(world: World, made: Class, arguments: Arguments) -> Value:
    """An object. Without an __init__ of the bundle its fields take the arguments in order, as in a dataclass."""
    box = world.instance(made.scope)
    world.heap.boxes.setdefault(box.site, {})
    starts = [start for start in attribute(world, box, "__init__") if isinstance(start, Function)]
    for start in starts:
        _enter(world, start, arguments)
    if not starts:
        fields = world.fields.get(made.scope, ())
        for name, value in zip(fields, arguments.positional, strict=False):
            world.heap.put(box, name, value)
        for name, value in arguments.keywords.items():
            world.heap.put(box, name, value)
        for name in fields:
            if arguments.rest and name not in arguments.keywords:
                world.heap.put(box, name, arguments.rest)
    return one(box)


def _partial(world: World, scope: Scope, node: ast.AST, arguments: Arguments) -> Value:
    where = f"partial:{scope.site(node)}"
    world.partials[where] = (
        arguments.positional[0],
        arguments.positional[1:],
        dict(arguments.keywords),
    )
    return one(Partial(where))


def _complete(
    world: World, scope: Scope, node: ast.AST, partial: Partial, arguments: Arguments, nested: int
) -> Value:
    callees, first, named = world.partials[partial.site]
    whole = Arguments((*first, *arguments.positional), named | arguments.keywords, arguments.rest)
    value: Value = NOTHING
    for callee in callees:
        value |= invoke(world, scope, node, callee, whole, nested + 1)
    return value


def _pass_on(
    world: World, scope: Scope, node: ast.AST, callee: Atom, arguments: Arguments, nested: int
) -> Value:
    """Calls what is passed as a value. Gives the list that `map` makes; otherwise nothing."""
    name = (
        callee.name.rpartition(".")[2]
        if isinstance(callee, Ref | Method)
        else getattr(getattr(node, "func", None), "attr", "")
    )
    given = list(arguments.positional)
    if name == "run_in_executor":
        given = given[1:]
    if name in _FOR_EACH and given and _can_be_called(given[0]):
        return _for_each(world, scope, node, given, name, nested)
    if name in _WITH_REST and given and _can_be_called(given[0]):
        if name not in ("partial", "partialmethod"):
            _call_all(world, scope, node, given[0], Arguments(tuple(given[1:]), arguments.keywords), nested)
        return NOTHING
    target = arguments.keywords.get("target")
    if target is not None:
        order = [items_of(world, arguments.keywords.get("args", NOTHING))]
        for box in arguments.keywords.get("args", NOTHING):
            known = world.heap.in_order(box) if isinstance(box, Box) else None
            order = known if known is not None else order
        _call_all(world, scope, node, target, Arguments(tuple(order)), nested)
    for name, value in arguments.keywords.items():
        if name not in ("target", "args"):
            _call_all(world, scope, node, value, Arguments(rest=ANYTHING), nested, local_only=True)
    for value in given:
        _call_all(world, scope, node, value, Arguments(rest=ANYTHING), nested, local_only=True)
    return NOTHING


def _for_each(world: World, scope: Scope, node: ast.AST, given: list[Value], name: str, nested: int) -> Value:
    where = f"each:{scope.site(node)}"
    box = Box(where, "list")
    world.heap.boxes.setdefault(box.site, {})
    listed = given[1:] or [ANYTHING]
    (first, *others) = listed
    order = None
    if len(first) == 1 and not others:
        (atom,) = first
        order = world.heap.in_order(atom) if isinstance(atom, Box) else folding.letters(atom)
    if order is not None and len(order) <= 300:
        for index, element in enumerate(order):
            world.heap.put(box, index, _call_all(world, scope, node, given[0], Arguments((element,)), nested))
    else:
        elements = tuple(items_of(world, value) for value in listed)
        world.heap.put(box, None, _call_all(world, scope, node, given[0], Arguments(elements), nested))
    return one(box) if name in ("map", "imap") else NOTHING


def _can_be_called(value: Value) -> bool:
    return any(
        isinstance(atom, Function | Class | Method | Partial)
        or (isinstance(atom, Ref) and not atom.name.endswith("()"))
        for atom in value
    )


def _call_all(
    world: World,
    scope: Scope,
    node: ast.AST,
    callees: Value,
    arguments: Arguments,
    nested: int,
    *,
    local_only: bool = False,
) -> Value:
    value: Value = NOTHING
    for callee in callees:
        wanted = Function | Partial if local_only else Function | Class | Ref | Method | Partial
        if isinstance(callee, wanted):
            value |= invoke(world, scope, node, callee, arguments, nested + 1)
    return value
