"""Reads statements: assignments bind names, defs and classes open scopes, imports bring names in."""

from __future__ import annotations

import ast
import posixpath
import sys
from collections.abc import Callable, Sequence

from services.planner.review import folding, guards, powers
from services.planner.review.distributions import distribution_of
from services.planner.review.expressions import assign, declare, evaluate
from services.planner.review.objects import attribute, items_of
from services.planner.review.values import (
    ANYTHING,
    HOLE,
    NOTHING,
    Atom,
    Box,
    Class,
    Function,
    Ref,
    Value,
    narrow,
    one,
    shortened,
)
from services.planner.review.world import Scope, World

# A text that a loop goes on lengthening is cut to its beginning when it may be more than this many.
MOST_LENGTHENED = 40


def execute(world: World, scope: Scope, body: Sequence[ast.stmt]) -> None:
    """A check that leaves (`if …: return`) holds for the statements behind it in the same block."""
    before = dict(scope.guarded)
    for statement in body:
        reader = _READERS.get(type(statement))
        if reader is not None:
            reader(world, scope, statement)
        if isinstance(statement, ast.If) and guards.leaves(statement.body):
            scope.guarded |= guards.kept_when(world, scope, statement.test, evaluate, holds=False)
    scope.guarded = {name: value for name, value in before.items() if name in scope.guarded}


def _if(world: World, scope: Scope, node: ast.stmt) -> None:
    if not isinstance(node, ast.If | ast.While):
        return
    evaluate(world, scope, node.test)
    if isinstance(node, ast.While):
        _forget_rebound(scope, node)
    before = dict(scope.guarded)
    scope.guarded |= guards.kept_when(world, scope, node.test, evaluate, holds=True)
    within = set(scope.guarded)
    execute(world, scope, node.body)
    rebound = within - set(scope.guarded)
    scope.guarded = {name: value for name, value in before.items() if name not in rebound}
    execute(world, scope, node.orelse)


def _forget_rebound(scope: Scope, loop: ast.stmt) -> None:
    """What a loop changes was not checked before its second round."""
    if scope.guarded:
        for inner in ast.walk(loop):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                scope.guarded.pop(inner.id, None)


def _inside(world: World, scope: Scope, node: ast.stmt) -> None:
    """Whatever has no meaning of its own here: its expressions and the statements in it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            evaluate(world, scope, child)
        elif isinstance(child, ast.stmt):
            execute(world, scope, [child])


def _expression(world: World, scope: Scope, node: ast.stmt) -> None:
    if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant):
        evaluate(world, scope, node.value)


def _assignment(world: World, scope: Scope, node: ast.stmt) -> None:
    if isinstance(node, ast.Assign):
        value = evaluate(world, scope, node.value)
        for target in node.targets:
            assign(world, scope, target, value)
    elif isinstance(node, ast.AnnAssign):
        if scope.kind == "class" and isinstance(node.target, ast.Name):
            known = world.fields.get(scope.number, ())
            if node.target.id not in known:
                world.fields[scope.number] = (*known, node.target.id)
        if node.value is not None:
            assign(world, scope, node.target, evaluate(world, scope, node.value))


def _lengthening(world: World, scope: Scope, node: ast.stmt) -> None:
    if not isinstance(node, ast.AugAssign):
        return
    before = evaluate(world, scope, node.target)
    more = evaluate(world, scope, node.value)
    joined = ast.copy_location(ast.BinOp(left=node.target, op=node.op, right=node.value), node)
    value = folding.operated(world, joined, scope.file, before, more)
    if len(value) > MOST_LENGTHENED:
        value = shortened(value)
    assign(world, scope, node.target, value)


def _function(world: World, scope: Scope, node: ast.stmt) -> None:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    own = world.scope_of(node, "function", scope)
    own.guarded.clear()
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    for decorator in node.decorator_list:
        evaluate(world, scope, decorator)
    in_class = scope.kind == "class" and "staticmethod" not in decorators
    declare(world, scope, own, node.args, takes_owner=in_class, makes_items=_makes_items(world, own, node))
    if in_class and own_parameter(node) is not None:
        world.bind(own, own_parameter(node) or "", _owner(world, scope, decorators))
    execute(world, own, node.body)
    value: Value = one(Function(own.number))
    if any(name in ("property", "cached_property", "functools.cached_property") for name in decorators):
        value = world.returns.get(own.number, NOTHING)
    world.bind(scope, node.name, value)


def own_parameter(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str | None:
    first = [*node.args.posonlyargs, *node.args.args][:1]
    return first[0].arg if first else None


def _owner(world: World, scope: Scope, decorators: list[str]) -> Value:
    return one(Class(scope.number)) if "classmethod" in decorators else one(world.instance(scope.number))


def _makes_items(world: World, own: Scope, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    known = world.shapes.get(own.number)
    return known.makes_items if known is not None else _has_yield(node)


def _has_yield(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    waiting: list[ast.AST] = list(node.body)
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(inner)
    return False


def _class(world: World, scope: Scope, node: ast.stmt) -> None:
    if not isinstance(node, ast.ClassDef):
        return
    own = world.scope_of(node, "class", scope)
    for expression in (*node.decorator_list, *(keyword.value for keyword in node.keywords)):
        evaluate(world, scope, expression)
    own.bases = narrow(atom for base in node.bases for atom in evaluate(world, scope, base))
    execute(world, own, node.body)
    world.bind(scope, node.name, one(Class(own.number)))


def _returned(world: World, scope: Scope, node: ast.stmt) -> None:
    if isinstance(node, ast.Return) and node.value is not None:
        value = evaluate(world, scope, node.value)
        place = scope
        while place.kind == "inner" and place.parent is not None:
            place = place.parent
        world.give_back(place, value)


def _loop(world: World, scope: Scope, node: ast.stmt) -> None:
    if not isinstance(node, ast.For | ast.AsyncFor):
        return
    _forget_rebound(scope, node)
    listed = evaluate(world, scope, node.iter)
    for atom in listed:
        powers.unpacked(world, scope, node, atom)
    assign(world, scope, node.target, items_of(world, listed) or world.missing)
    execute(world, scope, node.body)
    execute(world, scope, node.orelse)


def _with(world: World, scope: Scope, node: ast.stmt) -> None:
    if not isinstance(node, ast.With | ast.AsyncWith):
        return
    for item in node.items:
        value = evaluate(world, scope, item.context_expr)
        if item.optional_vars is not None:
            entered = narrow(found for atom in value for found in _entered(world, atom))
            assign(world, scope, item.optional_vars, entered or world.missing)
    execute(world, scope, node.body)


def _entered(world: World, atom: Atom) -> Value:
    if isinstance(atom, Box) and atom.site.startswith("items:"):
        return world.heap.get(atom, None)
    if isinstance(atom, Box) and atom.kind == "object":
        found: Value = NOTHING
        for enter in attribute(world, atom, "__enter__"):
            if isinstance(enter, Function):
                found |= world.returns.get(enter.scope, NOTHING)
        return found or one(atom)
    return ANYTHING if atom is None else one(atom)


def _try(world: World, scope: Scope, node: ast.stmt) -> None:
    if not isinstance(node, ast.Try | ast.TryStar):
        return
    caught = " ".join(ast.unparse(handler.type) if handler.type else "Exception" for handler in node.handlers)
    optional = any(name in caught for name in ("ImportError", "ModuleNotFoundError", "Exception"))
    for statement in node.body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            _import(world, scope, statement, optional=optional)
        else:
            execute(world, scope, [statement])
    for handler in node.handlers:
        if handler.type is not None:
            evaluate(world, scope, handler.type)
        if handler.name:
            world.bind(scope, handler.name, ANYTHING)
        execute(world, scope, handler.body)
    execute(world, scope, node.orelse)
    execute(world, scope, node.finalbody)


def _match(world: World, scope: Scope, node: ast.stmt) -> None:
    if not isinstance(node, ast.Match):
        return
    subject = evaluate(world, scope, node.subject)
    for case in node.cases:
        for pattern in ast.walk(case.pattern):
            name = getattr(pattern, "name", None) or getattr(pattern, "rest", None)
            if isinstance(name, str):
                world.bind(scope, name, subject | ANYTHING)
        if case.guard is not None:
            evaluate(world, scope, case.guard)
        execute(world, scope, case.body)


def _shared(world: World, scope: Scope, node: ast.stmt) -> None:
    if isinstance(node, ast.Global):
        for name in node.names:
            scope.shared[name] = scope.module
    elif isinstance(node, ast.Nonlocal):
        for name in node.names:
            place = scope.parent
            while place is not None and name not in place.names:
                place = place.parent
            if place is not None and place is not scope:
                scope.shared[name] = place


def _imported(world: World, scope: Scope, node: ast.stmt) -> None:
    _import(world, scope, node, optional=False)


def _import(world: World, scope: Scope, node: ast.stmt, *, optional: bool) -> None:
    if isinstance(node, ast.Import):
        for alias in node.names:
            _import_module(world, scope, node, alias, optional=optional)
    elif isinstance(node, ast.ImportFrom):
        _import_from(world, scope, node, optional=optional)


def _import_module(world: World, scope: Scope, node: ast.stmt, alias: ast.alias, *, optional: bool) -> None:
    inside = world.find_module(alias.name)
    top = alias.name.partition(".")[0]
    if inside is not None:
        first = world.find_module(top)
        world.bind(scope, alias.asname or top, one(inside if alias.asname or first is None else first))
        return
    world.bind(scope, alias.asname or top, one(Ref(alias.name if alias.asname else top)))
    _note_package(world, scope, node, alias.name, optional=optional)


def _import_from(world: World, scope: Scope, node: ast.ImportFrom, *, optional: bool) -> None:
    dotted = _absolute(scope, node)
    inside = world.find_module(dotted) if dotted else None
    if inside is None and not node.level:
        _note_package(
            world, scope, node, dotted, optional=optional, names=[alias.name for alias in node.names]
        )
    for alias in node.names:
        if alias.name == "*":
            source = inside if inside is not None else Ref(dotted)
            if source not in scope.module.stars:
                scope.module.stars.append(source)
            continue
        if inside is not None:
            value = world.look_in(inside, alias.name)
        else:
            below = world.find_module(f"{dotted}.{alias.name}".strip("."))
            value = one(below) if below is not None else one(Ref(f"{dotted}.{alias.name}"))
        world.bind(scope, alias.asname or alias.name, value)


def _absolute(scope: Scope, node: ast.ImportFrom) -> str:
    """`from ..a import b` as a name from the bundle's folder."""
    if not node.level:
        return node.module or ""
    folder = posixpath.dirname(scope.module.file)
    for _ in range(node.level - 1):
        folder = posixpath.dirname(folder)
    return ".".join(part for part in (folder.replace("/", "."), node.module or "") if part)


def _note_package(
    world: World, scope: Scope, node: ast.stmt, dotted: str, *, optional: bool, names: Sequence[str] = ()
) -> None:
    top = dotted.partition(".")[0]
    if not top or top == "agent" or top in sys.stdlib_module_names or HOLE in top:
        return
    folder = any(file.startswith(f"{top}/") for file in world.modules)
    if folder:
        return
    what = distribution_of(dotted, names)
    world.found(node, scope, "package", what, about="optional" if optional else "import")
    powers.imported(world, scope, node, top)


_READERS: dict[type[ast.stmt], Callable[[World, Scope, ast.stmt], None]] = {
    ast.Expr: _expression,
    ast.Assign: _assignment,
    ast.AnnAssign: _assignment,
    ast.AugAssign: _lengthening,
    ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function,
    ast.ClassDef: _class,
    ast.Return: _returned,
    ast.For: _loop,
    ast.AsyncFor: _loop,
    ast.While: _if,
    ast.If: _if,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Try: _try,
    ast.TryStar: _try,
    ast.Match: _match,
    ast.Global: _shared,
    ast.Nonlocal: _shared,
    ast.Import: _imported,
    ast.ImportFrom: _imported,
    ast.Raise: _inside,
    ast.Assert: _inside,
    ast.Delete: _inside,
}
