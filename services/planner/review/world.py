"""What is known while reading: files, scopes, what names and boxes may hold, what was found.

Reading goes over everything several times until nothing new turns up. Order within a scope is ignored: a name may
hold whatever is assigned to it anywhere. Findings are kept from the last round alone.
"""

from __future__ import annotations

import ast
import builtins
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from services.planner.review.finding import Call, Finding, Kind, Trace
from services.planner.review.values import (
    ANYTHING,
    HOLE,
    NOTHING,
    Box,
    Function,
    Heap,
    Module,
    Ref,
    Value,
    narrow,
    one,
    shortened,
)

BUILTINS = frozenset(dir(builtins))
# Rounds after which a name that still grows is cut to the beginning of its texts.
PATIENCE = 7
MOST_STEPS = 600_000
MOST_TRACES = 5_000


@dataclass
class Scope:
    """`shared`: names that `global` or `nonlocal` hands to another scope, with that scope's number."""

    number: int
    kind: Literal["module", "function", "class", "inner"]
    file: str
    parent: Scope | None
    names: set[str] = field(default_factory=set)
    shared: dict[str, Scope] = field(default_factory=dict)
    stars: list[Module | Ref] = field(default_factory=list)
    bases: Value = NOTHING
    # Names that a check has narrowed down, for the statements behind it.
    guarded: dict[str, Value] = field(default_factory=dict)

    @property
    def module(self) -> Scope:
        scope = self
        while scope.kind != "module" and scope.parent is not None:
            scope = scope.parent
        return scope

    def site(self, node: ast.AST) -> str:
        """A name for what is made at this place of the code."""
        line, column = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
        return f"{self.number}:{line}:{column}:{type(node).__name__}"


@dataclass(frozen=True)
class Shape:
    """A function's parameters. `rest` and `extra` are the names of *args and **kwargs."""

    positional: tuple[str, ...]
    keyword_only: tuple[str, ...]
    rest: str | None
    extra: str | None
    takes_owner: bool
    makes_items: bool


@dataclass
class World:
    files: Mapping[str, bytes]
    secrets: frozenset[str] = frozenset()
    secret_hosts: Mapping[str, str] = field(default_factory=dict)
    scopes: list[Scope] = field(default_factory=list)
    modules: dict[str, Scope] = field(default_factory=dict)
    trees: dict[str, ast.Module] = field(default_factory=dict)
    inner: dict[ast.AST, Scope] = field(default_factory=dict)
    shapes: dict[int, Shape] = field(default_factory=dict)
    names: dict[tuple[int, str], Value] = field(default_factory=dict)
    returns: dict[int, Value] = field(default_factory=dict)
    heap: Heap = field(default_factory=Heap)
    fragments: dict[str, tuple[Scope, ast.Module]] = field(default_factory=dict)
    decoded: set[str] = field(default_factory=set)
    fields: dict[int, tuple[str, ...]] = field(default_factory=dict)
    partials: dict[str, tuple[Value, tuple[Value, ...], dict[str, Value]]] = field(default_factory=dict)
    parsed: dict[tuple[str, str], Value] = field(default_factory=dict)
    traces: dict[Finding, list[Trace]] = field(default_factory=dict)
    recording: bool = False
    changed: bool = False
    round: int = 0
    settled: bool = False
    steps: int = 0

    @property
    def missing(self) -> Value:
        """What stands for a value that was not seen: nothing yet, and anything once all else is known."""
        return ANYTHING if self.settled else NOTHING

    @property
    def unclear(self) -> Value:
        """The same as a text."""
        return one(HOLE) if self.settled else NOTHING

    @property
    def is_tired(self) -> bool:
        """More was looked at than any honest agent needs: what follows is no longer read."""
        return self.steps > MOST_STEPS

    def scope(
        self, kind: Literal["module", "function", "class", "inner"], parent: Scope | None, file: str
    ) -> Scope:
        made = Scope(len(self.scopes), kind, file, parent)
        self.scopes.append(made)
        return made

    def scope_of(self, node: ast.AST, kind: Literal["function", "class", "inner"], parent: Scope) -> Scope:
        """The scope that a def, class, lambda or comprehension opens: the same in every round."""
        if node not in self.inner:
            self.inner[node] = self.scope(kind, parent, parent.file)
        return self.inner[node]

    def bind(self, scope: Scope, name: str, value: Value) -> None:
        scope = scope.shared.get(name, scope)
        scope.names.add(name)
        scope.guarded.pop(name, None)
        before = self.names.get((scope.number, name), NOTHING)
        after = narrow(before | value)
        if after == before:
            return
        self.changed = True
        self.names[scope.number, name] = shortened(after) if self._grows(before, after) else after

    def _grows(self, before: Value, after: Value) -> bool:
        return self.round >= PATIENCE and sum(isinstance(atom, str) for atom in after - before) > 0

    def replace(self, scope: Scope, name: str, value: Value) -> None:
        """For the variable of a comprehension, which holds one element after the other."""
        scope.names.add(name)
        self.names[scope.number, name] = value

    def give_back(self, scope: Scope, value: Value) -> None:
        before = self.returns.get(scope.number, NOTHING)
        after = narrow(before | value)
        if after != before:
            self.returns[scope.number] = after
            self.changed = True

    def look_up(self, scope: Scope, name: str) -> Value:
        place: Scope | None = scope
        while place is not None:
            if name in place.shared:
                place = place.shared[name]
            if name in place.guarded:
                return place.guarded[name]
            visible = place.kind != "class" or place is scope
            if visible and name in place.names:
                return self.names.get((place.number, name), NOTHING)
            place = place.parent
        return self._from_elsewhere(scope, name)

    def _from_elsewhere(self, scope: Scope, name: str) -> Value:
        if name == "__file__":
            return one(f"./{scope.module.file}")
        if name == "__name__":
            return one("__main__")
        found: set[Ref | Function] = set()
        value: Value = NOTHING
        for source in scope.module.stars:
            if isinstance(source, Module):
                value |= self.look_in(source, name)
            elif name not in BUILTINS or name in _SHADOWED.get(source.name, ()):
                found.add(Ref(f"{source.name}.{name}"))
        if name in BUILTINS:
            found.add(Ref(f"builtins.{name}"))
        if name == "__builtins__":
            found.add(Ref("builtins"))
        value |= found
        return value or self.missing

    def look_in(self, module: Module, name: str) -> Value:
        """A name of another file of the bundle; also a file of a folder that is imported as a package."""
        scope = self.modules.get(module.file)
        if scope is not None and name in scope.names:
            return self.names.get((scope.number, name), NOTHING)
        folder = posixpath.dirname(module.file)
        inside = self.find_module(f"{folder}/{name}".strip("/").replace("/", "."))
        if inside is not None and module.file.endswith("__init__.py"):
            return one(inside)
        if scope is not None:
            for source in scope.stars:
                if isinstance(source, Ref):
                    return one(source.dot(name))
                if source != module and name in self.modules[source.file].names:
                    return self.names.get((self.modules[source.file].number, name), NOTHING)
        return NOTHING

    def find_module(self, dotted: str) -> Module | None:
        path = dotted.replace(".", "/")
        for file in (f"{path}.py", f"{path}/__init__.py"):
            if file in self.modules:
                return Module(file)
        return None

    def instance(self, scope_number: int) -> Box:
        return Box(f"object:{scope_number}", "object")

    def found(
        self,
        node: ast.AST,
        scope: Scope,
        kind: Kind,
        what: str,
        *,
        certain: bool = True,
        about: str = "",
        call: Call | None = None,
    ) -> None:
        if not self.recording or len(self.traces) >= MOST_TRACES:
            return
        finding = Finding(kind, what[:200], scope.file, getattr(node, "lineno", 1), certain)
        trace = Trace(finding, about, call or Call())
        known = self.traces.setdefault(finding, [])
        if trace not in known:
            known.append(trace)


_SHADOWED = {"os": ("open",), "codecs": ("open",), "io": ("open",)}
