"""Reads query shapes out of the source: `Query(…)` and the gateway's `scope.all(…)` and `scope.page(…)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module

from shared.store.port import Op, Query, Where
from tests.repo.tree import Source

# Calls whose collection or conditions are parameters: their callers are read instead, or they are declared.
GENERIC = {
    "services/gateway/repository/scope.py": "callers name collection and conditions",
    "services/gateway/repository/shapes.py": "makes the declarations themselves",
    "services/gateway/handlers/sweep.py": "goes through pairs of collection and field, declared one by one",
}
_OPS: tuple[Op, ...] = ("==", "<", "<=", ">", ">=", "in")


@dataclass(frozen=True)
class Asked:
    """One call that asks a database. `query` is None where the source does not say what it asks."""

    where: str
    query: Query | None


def asked(source: Source) -> Iterator[Asked]:
    for function in ast.walk(source.tree):
        if isinstance(function, ast.FunctionDef):
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call) and _asks(node)]
            for call in sorted(calls, key=lambda node: node.lineno):
                yield Asked(f"{source.name}:{call.lineno}", _Reading(source, function).query(call))


def _asks(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Name):
        return call.func.id == "Query"
    scoped = isinstance(call.func, ast.Attribute) and call.func.attr in ("all", "page")
    return scoped and any(keyword.arg == "order_by" for keyword in call.keywords)


class _Reading:
    """One function's calls, with the values of names: constants of the module, assignments of the function."""

    def __init__(self, source: Source, function: ast.FunctionDef) -> None:
        self._module = source.name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        self._local = {
            target.id: node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }

    def query(self, call: ast.Call) -> Query | None:
        said = {keyword.arg: keyword.value for keyword in call.keywords}
        scoped = isinstance(call.func, ast.Attribute)
        collection = self._text(call.args[1 if scoped else 0])
        conditions = call.args[3:] if scoped else call.args[1:2]
        fields = [found for node in conditions for found in self._conditions(node)]
        order = self._text(said["order_by"]) if "order_by" in said else None
        if collection is None or None in fields or ("order_by" in said and order is None):
            return None
        where = tuple(field for field in fields if field is not None)
        if scoped:
            where = (Where("workspace_id", "==", ""), *where)
        descending = said.get("descending")
        down = bool(descending.value) if isinstance(descending, ast.Constant) else scoped
        return Query(collection, where, order, down)

    def _conditions(self, node: ast.expr) -> Iterator[Where | None]:
        """None for what cannot be read."""
        if isinstance(node, ast.Starred):
            yield from self._conditions(node.value)
        elif isinstance(node, ast.Tuple):
            for one in node.elts:
                yield from self._conditions(one)
        elif isinstance(node, ast.IfExp):
            yield from self._conditions(node.body)
        elif isinstance(node, ast.Name) and node.id in self._local:
            yield from self._conditions(self._local[node.id])
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Where":
            field, op = self._text(node.args[0]), self._text(node.args[1])
            found = next((one for one in _OPS if one == op), None)
            yield Where(field, found, []) if field and found else None
        else:
            yield None

    def _text(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.Name):
            value = getattr(import_module(self._module), node.id, None)
            return value if isinstance(value, str) else None
        return None
