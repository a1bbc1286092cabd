"""What an expression may be. Nothing is executed: operators and methods of known texts are worked out by `folding`."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable
from functools import singledispatch

from services.planner.review import folding, powers
from services.planner.review.arguments import Arguments
from services.planner.review.calls import invoke
from services.planner.review.objects import attribute, items_of
from services.planner.review.values import (
    ANYTHING,
    HOLE,
    NOTHING,
    Atom,
    Box,
    Class,
    Function,
    Module,
    Ref,
    Unknown,
    Value,
    combine,
    narrow,
    one,
)
from services.planner.review.world import Scope, Shape, World

# A comprehension over a list of known order is worked out element by element up to this many.
MOST_ELEMENTS = 300


def evaluate(world: World, scope: Scope, node: ast.expr) -> Value:
    value = _evaluate(world, scope, node)
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call):
        for atom in value:
            if isinstance(atom, Ref):
                powers.note(world, scope, node, atom)
    return value


def _evaluate(world: World, scope: Scope, node: ast.expr) -> Value:
    world.steps += 1
    if world.is_tired:
        return ANYTHING
    return _read(node, world, scope)


@singledispatch
def _read(node: ast.expr, world: World, scope: Scope) -> Value:
    """Whatever has no meaning of its own here: its parts are read."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            evaluate(world, scope, child)
    return ANYTHING


@_read.register
def _constant(node: ast.Constant, _world: World, _scope: Scope) -> Value:
    value = node.value
    return one(value) if isinstance(value, str | bytes | int | float) or value is None else ANYTHING


@_read.register
def _name(node: ast.Name, world: World, scope: Scope) -> Value:
    return world.look_up(scope, node.id)


@_read.register
def _attribute(node: ast.Attribute, world: World, scope: Scope) -> Value:
    powers.note_attribute(world, scope, node)
    owners = evaluate(world, scope, node.value)
    return narrow(found for owner in owners for found in attribute(world, owner, node.attr))


@_read.register
def _subscript(node: ast.Subscript, world: World, scope: Scope) -> Value:
    owners = evaluate(world, scope, node.value)
    if isinstance(node.slice, ast.Slice):
        bounds = [
            evaluate(world, scope, part) if part is not None else one(None)
            for part in (node.slice.lower, node.slice.upper, node.slice.step)
        ]
        return folding.sliced(world, owners, bounds)
    keys = evaluate(world, scope, node.slice)
    return narrow(found for owner in owners for found in _item(world, scope, node, owner, keys))


def _item(world: World, scope: Scope, node: ast.Subscript, owner: Atom, keys: Value) -> Value:
    if isinstance(owner, Ref):
        return powers.item(world, scope, node, owner, keys)
    if isinstance(owner, Box):
        value: Value = NOTHING
        for key in keys:
            value |= world.heap.get(owner, _place(world, owner, key))
        return value or world.missing
    if isinstance(owner, str | bytes):
        return folding.letter(owner, keys)
    return ANYTHING


def _place(world: World, box: Box, key: Atom) -> str | int | None:
    if isinstance(key, int) and key < 0:
        order = world.heap.in_order(box)
        return len(order) + key if order is not None else None
    return key if isinstance(key, str | int) else None


@_read.register
def _call(node: ast.Call, world: World, scope: Scope) -> Value:
    callees = _evaluate(world, scope, node.func)
    arguments = _arguments(world, scope, node)
    callees = callees or world.missing
    return narrow(found for callee in callees for found in invoke(world, scope, node, callee, arguments))


def _arguments(world: World, scope: Scope, node: ast.Call) -> Arguments:
    positional: list[Value] = []
    rest: Value = NOTHING
    for argument in node.args:
        if isinstance(argument, ast.Starred):
            listed = evaluate(world, scope, argument.value)
            boxes = [box for box in listed if isinstance(box, Box)]
            order = world.heap.in_order(boxes[0]) if len(boxes) == 1 and len(listed) == 1 else None
            if order is not None:
                positional += order
            else:
                rest |= items_of(world, listed)
        else:
            positional.append(evaluate(world, scope, argument))
    keywords: dict[str, Value] = {}
    for keyword in node.keywords:
        value = evaluate(world, scope, keyword.value)
        if keyword.arg is not None:
            keywords[keyword.arg] = value
            continue
        for atom in value:
            if isinstance(atom, Box):
                for key, held in world.heap.boxes.get(atom.site, {}).items():
                    if isinstance(key, str):
                        keywords[key] = keywords.get(key, NOTHING) | held
                    else:
                        rest |= held
            else:
                powers.unpacked(world, scope, node, atom)
    return Arguments(tuple(positional), keywords, rest)


@_read.register
def _binary(node: ast.BinOp, world: World, scope: Scope) -> Value:
    left, right = evaluate(world, scope, node.left), evaluate(world, scope, node.right)
    return folding.operated(world, node, scope.file, left, right)


@_read.register
def _unary(node: ast.UnaryOp, world: World, scope: Scope) -> Value:
    value = evaluate(world, scope, node.operand)
    if isinstance(node.op, ast.USub):
        return narrow(-atom if isinstance(atom, int) else Unknown() for atom in value)
    return ANYTHING


@_read.register
def _joined(node: ast.JoinedStr, world: World, scope: Scope) -> Value:
    """An f-string. A part with a format of its own cannot be told, except whole numbers and plain texts."""
    value: Value = one("")
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            piece = evaluate(world, scope, part.value)
            if part.format_spec is not None or part.conversion not in (-1, ord("s")):
                if part.format_spec is not None:
                    evaluate(world, scope, part.format_spec)
                piece = one(HOLE)
        else:
            piece = evaluate(world, scope, part)
        value = combine(value, piece or world.unclear)
    return value


@_read.register
def _list(node: ast.List | ast.Tuple | ast.Set, world: World, scope: Scope) -> Value:
    box = Box(scope.site(node), "list")
    world.heap.boxes.setdefault(box.site, {})
    known = True
    for index, element in enumerate(node.elts):
        if isinstance(element, ast.Starred):
            world.heap.put(box, None, items_of(world, evaluate(world, scope, element.value)))
            known = False
        else:
            world.heap.put(box, index if known else None, evaluate(world, scope, element))
    return one(box)


@_read.register
def _dict(node: ast.Dict, world: World, scope: Scope) -> Value:
    box = Box(scope.site(node), "dict")
    world.heap.boxes.setdefault(box.site, {})
    for key, item in zip(node.keys, node.values, strict=True):
        value = evaluate(world, scope, item)
        if key is None:
            _spread(world, scope, node, box, value)
            continue
        for name in evaluate(world, scope, key):
            world.heap.put(box, name if isinstance(name, str | int) else None, value)
    return one(box)


def _spread(world: World, scope: Scope, node: ast.Dict, box: Box, value: Value) -> None:
    """`{**other}`."""
    for atom in value:
        if isinstance(atom, Box):
            for key, held in list(world.heap.boxes.get(atom.site, {}).items()):
                world.heap.put(box, key, held)
        else:
            powers.unpacked(world, scope, node, atom)
            world.heap.put(box, None, ANYTHING)


@_read.register
def _choice(node: ast.IfExp, world: World, scope: Scope) -> Value:
    evaluate(world, scope, node.test)
    return narrow(evaluate(world, scope, node.body) | evaluate(world, scope, node.orelse))


@_read.register
def _either(node: ast.BoolOp, world: World, scope: Scope) -> Value:
    return narrow(itertools.chain.from_iterable(evaluate(world, scope, part) for part in node.values))


@_read.register
def _named(node: ast.NamedExpr, world: World, scope: Scope) -> Value:
    value = evaluate(world, scope, node.value)
    while scope.kind == "inner" and scope.parent is not None:
        scope = scope.parent
    world.bind(scope, node.target.id, value)
    return value


@_read.register
def _awaited(node: ast.Await | ast.Starred, world: World, scope: Scope) -> Value:
    return evaluate(world, scope, node.value)


@_read.register
def _yielded(node: ast.Yield | ast.YieldFrom, world: World, scope: Scope) -> Value:
    if isinstance(node, ast.Yield):
        value = evaluate(world, scope, node.value) if node.value is not None else one(None)
    else:
        value = items_of(world, evaluate(world, scope, node.value))
    world.heap.put(Box(f"items:{scope.number}", "list"), None, value)
    return ANYTHING


@_read.register
def _lambda(node: ast.Lambda, world: World, scope: Scope) -> Value:
    own = world.scope_of(node, "function", scope)
    declare(world, scope, own, node.args, takes_owner=scope.kind == "class", makes_items=False)
    world.give_back(own, evaluate(world, own, node.body))
    return one(Function(own.number))


def declare(
    world: World, scope: Scope, own: Scope, args: ast.arguments, *, takes_owner: bool, makes_items: bool
) -> None:
    """A function's parameters as names of its scope, with what stands as their defaults."""
    positional = [arg.arg for arg in (*args.posonlyargs, *args.args)]
    keyword_only = [arg.arg for arg in args.kwonlyargs]
    rest = args.vararg.arg if args.vararg else None
    extra = args.kwarg.arg if args.kwarg else None
    world.shapes[own.number] = Shape(
        tuple(positional), tuple(keyword_only), rest, extra, takes_owner, makes_items
    )
    own.names |= {*positional, *keyword_only, *(name for name in (rest, extra) if name)}
    for name, default in zip(positional[len(positional) - len(args.defaults) :], args.defaults, strict=True):
        world.bind(own, name, evaluate(world, scope, default))
    for name, given in zip(keyword_only, args.kw_defaults, strict=True):
        if given is not None:
            world.bind(own, name, evaluate(world, scope, given))


@_read.register
def _comprehension(
    node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, world: World, scope: Scope
) -> Value:
    own = world.scope_of(node, "inner", scope)
    box = Box(scope.site(node), "dict" if isinstance(node, ast.DictComp) else "list")
    world.heap.boxes.setdefault(box.site, {})
    first = node.generators[0]
    listed = evaluate(world, scope, first.iter)
    order = _known_order(world, listed) if len(node.generators) == 1 and not first.ifs else None
    if order is not None:
        for index, element in enumerate(order):
            assign_fresh(world, own, first.target, element)
            _collect(world, own, node, box, index)
        return one(box)
    assign(world, own, first.target, items_of(world, listed))
    for generator in node.generators[1:]:
        assign(world, own, generator.target, items_of(world, evaluate(world, own, generator.iter)))
    for generator in node.generators:
        for condition in generator.ifs:
            evaluate(world, own, condition)
    _collect(world, own, node, box, None)
    return one(box)


def _known_order(world: World, listed: Value) -> list[Value] | None:
    if len(listed) != 1:
        return None
    (atom,) = listed
    order = world.heap.in_order(atom) if isinstance(atom, Box) else folding.letters(atom)
    return order if order is not None and len(order) <= MOST_ELEMENTS else None


def _collect(
    world: World,
    own: Scope,
    node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp,
    box: Box,
    index: int | None,
) -> None:
    if isinstance(node, ast.DictComp):
        keys = evaluate(world, own, node.key)
        value = evaluate(world, own, node.value)
        for key in keys:
            world.heap.put(box, key if isinstance(key, str | int) else None, value)
    else:
        world.heap.put(box, index, evaluate(world, own, node.elt))


def assign_fresh(world: World, scope: Scope, target: ast.expr, value: Value) -> None:
    """Like `assign`, forgetting what the variable held before."""
    if isinstance(target, ast.Name):
        world.replace(scope, target.id, value)
        return
    for name in ast.walk(target):
        if isinstance(name, ast.Name):
            world.replace(scope, name.id, NOTHING)
    assign(world, scope, target, value)


def assign(world: World, scope: Scope, target: ast.expr, value: Value) -> None:
    if isinstance(target, ast.Name):
        world.bind(scope, target.id, value)
    elif isinstance(target, ast.Starred):
        box = Box(scope.site(target), "list")
        world.heap.put(box, None, value)
        assign(world, scope, target.value, one(box))
    elif isinstance(target, ast.Tuple | ast.List):
        _unpack(world, scope, target.elts, value)
    elif isinstance(target, ast.Attribute):
        for owner in evaluate(world, scope, target.value):
            if isinstance(owner, Box) and owner.kind == "object":
                world.heap.put(owner, target.attr, value)
            elif isinstance(owner, Ref | Module | Class):
                powers.changed(world, scope, target, owner, value)
    elif isinstance(target, ast.Subscript):
        keys = evaluate(world, scope, target.slice) if not isinstance(target.slice, ast.Slice) else NOTHING
        for owner in _evaluate(world, scope, target.value):
            if isinstance(owner, Box):
                for key in keys or world.missing:
                    world.heap.put(owner, key if isinstance(key, str | int) else None, value)


def _unpack(world: World, scope: Scope, targets: Iterable[ast.expr], value: Value) -> None:
    targets = list(targets)
    starred = any(isinstance(target, ast.Starred) for target in targets)
    for index, target in enumerate(targets):
        part: Value = NOTHING
        for atom in value:
            if isinstance(atom, Box) and not starred:
                part |= world.heap.get(atom, index)
            else:
                part |= items_of(world, one(atom))
        assign(world, scope, target, narrow(part))
