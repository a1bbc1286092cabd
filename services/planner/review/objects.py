"""What belongs to a value: the attributes of objects, classes and modules, the items of lists and files."""

from __future__ import annotations

from services.planner.review import datafiles, folding, paths
from services.planner.review.values import (
    ANYTHING,
    NOTHING,
    Atom,
    Box,
    Class,
    Function,
    Method,
    Module,
    OpenFile,
    Ref,
    Unknown,
    Value,
    narrow,
    one,
)
from services.planner.review.world import World


def attribute(world: World, owner: Atom, name: str, depth: int = 0) -> Value:
    if isinstance(owner, Ref):
        return one(owner.dot(name)) if name != "__dict__" else one(owner)
    if isinstance(owner, Module):
        return world.look_in(owner, name)
    if isinstance(owner, Box) and owner.kind == "object":
        return _of_object(world, owner, name, depth)
    if isinstance(owner, Class):
        return _of_class(world, owner, name, None, depth)
    if isinstance(owner, str):
        return paths.text_property(owner, name) or one(Method(owner, name))
    if isinstance(owner, bytes | int | float | Box | OpenFile):
        return one(Method(owner, name))
    return ANYTHING if isinstance(owner, Unknown) else NOTHING


def _of_object(world: World, box: Box, name: str, depth: int) -> Value:
    value = world.heap.get(box, name)
    if box.site.startswith("object:"):
        made_by = Class(int(box.site.partition(":")[2]))
        value |= _of_class(world, made_by, name, box, depth)
    return value or world.missing


def _of_class(world: World, owner: Class, name: str, box: Box | None, depth: int) -> Value:
    """Also what the classes above it have; of one outside the bundle it is an object's attribute."""
    scope = world.scopes[owner.scope]
    value: set[Atom] = set()
    if name in scope.names:
        for atom in world.names.get((scope.number, name), NOTHING):
            is_method = (
                isinstance(atom, Function) and world.shapes[atom.scope].takes_owner and box is not None
            )
            value.add(Function(atom.scope, box) if isinstance(atom, Function) and is_method else atom)
    elif depth < 6:
        for above in scope.bases:
            if isinstance(above, Class) and above != owner:
                value |= _of_class(world, above, name, box, depth + 1)
            elif isinstance(above, Ref) and above.name not in ("builtins.object", "abc.ABC"):
                made = above.called()
                value |= attribute(world, made, name)
    return frozenset(value)


def items_of(world: World, value: Value) -> Value:
    """What a loop over it gives."""
    return narrow(found for atom in value for found in _items(world, atom))


def _items(world: World, atom: Atom) -> Value:
    if isinstance(atom, Box):
        return world.heap.keys(atom) if atom.kind == "dict" else world.heap.get(atom, None)
    if isinstance(atom, OpenFile):
        return datafiles.lines(world, atom.file)
    if isinstance(atom, Ref):
        return one(atom.dot("item()"))
    letters = folding.letters(atom)
    if letters is not None:
        return narrow(found for letter in letters for found in letter)
    return ANYTHING if isinstance(atom, Unknown) else NOTHING
