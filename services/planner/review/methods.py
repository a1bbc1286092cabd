"""Methods of plain values: texts and paths, bytes, lists and dicts, data files of the bundle."""

from __future__ import annotations

import ast

from services.planner.review import datafiles, folding, paths
from services.planner.review.arguments import Arguments
from services.planner.review.objects import items_of
from services.planner.review.values import (
    ANYTHING,
    HOLE,
    NOTHING,
    Box,
    Method,
    OpenFile,
    Value,
    narrow,
    one,
)
from services.planner.review.world import Scope, World

_SPLITTING = frozenset({"split", "rsplit", "splitlines", "partition", "rpartition"})
_ABOUT_TEXT = frozenset(
    "startswith endswith isdigit isalpha isalnum isdecimal isnumeric isspace isupper islower find rfind index rindex "
    "count isidentifier".split()
)


def call(world: World, scope: Scope, node: ast.AST, method: Method, arguments: Arguments) -> Value:
    receiver, name = method.receiver, method.name
    where = f"{scope.site(node)}"
    if isinstance(receiver, str):
        return _of_text(world, scope, node, receiver, name, arguments, where)
    if isinstance(receiver, bytes):
        return _of_bytes(world, receiver, name)
    if isinstance(receiver, Box):
        return _of_box(world, receiver, name, arguments, where)
    if isinstance(receiver, OpenFile):
        return datafiles.method(world, receiver, name)
    return ANYTHING


def _of_text(
    world: World, scope: Scope, node: ast.AST, text: str, name: str, arguments: Arguments, where: str
) -> Value:
    if name in _SPLITTING:
        return folding.pieces(world, text, name, arguments.at(0, "sep"), where)
    if name in _ABOUT_TEXT:
        return ANYTHING
    known = folding.text_method(world, text, name, arguments.positional, arguments.keywords)
    return known or paths.method(world, scope, node, text, name, arguments)


def _of_bytes(world: World, data: bytes, name: str) -> Value:
    if name == "decode":
        return one(data.decode("utf-8", "replace"))
    if name == "hex":
        return one(data.hex())
    return one(data) if name in ("strip", "rstrip", "lstrip") else ANYTHING


def _of_box(world: World, box: Box, name: str, arguments: Arguments, where: str) -> Value:
    heap = world.heap
    first = arguments.at(0)
    if name in ("append", "add", "insert", "appendleft"):
        heap.put(box, None, arguments.at(1) if name == "insert" else first)
        return one(None)
    if name in ("extend", "update"):
        return _merged(world, box, arguments)
    if name in ("get", "pop", "setdefault", "popleft") and box.kind != "list":
        return _kept(world, box, name, arguments)
    if name in ("pop", "popleft"):
        return heap.get(box, None) or world.missing
    if name == "items":
        return _pairs(world, box, where)
    if name in ("values", "keys", "copy"):
        return _views(world, box, name, where)
    return one(box) if name in ("sort", "reverse", "union") else ANYTHING


def _kept(world: World, box: Box, name: str, arguments: Arguments) -> Value:
    default = arguments.at(1, "default")
    value: Value = default
    for key in arguments.at(0):
        known = key if isinstance(key, str | int) else None
        value |= world.heap.get(box, known)
        if name == "setdefault":
            world.heap.put(box, known, default)
    return narrow(value) or one(None)


def _merged(world: World, box: Box, arguments: Arguments) -> Value:
    for value in arguments.positional:
        for atom in value:
            if isinstance(atom, Box) and atom != box and atom.kind == "dict":
                for key, held in list(world.heap.boxes.get(atom.site, {}).items()):
                    world.heap.put(box, key, held)
            else:
                world.heap.put(box, None, items_of(world, one(atom)))
    for name, value in arguments.keywords.items():
        world.heap.put(box, name, value)
    return one(None)


def _pairs(world: World, box: Box, where: str) -> Value:
    """One pair for each key, so that a loop over items() keeps key and value apart."""
    listed = Box(f"{where}:items", "list")
    world.heap.boxes.setdefault(listed.site, {})
    for number, (key, value) in enumerate(list(world.heap.boxes.get(box.site, {}).items())):
        pair = Box(f"{where}:pair:{number}", "list")
        world.heap.put(pair, 0, one(key) if key is not None else one(HOLE))
        world.heap.put(pair, 1, value)
        world.heap.put(listed, number, one(pair))
    return one(listed)


def _views(world: World, box: Box, name: str, where: str) -> Value:
    if name == "copy":
        return one(box)
    listed = Box(f"{where}:{name}", "list")
    world.heap.boxes.setdefault(listed.site, {})
    slots = world.heap.boxes.get(box.site, {})
    for number, (key, value) in enumerate(list(slots.items())):
        held = value if name == "values" else (one(key) if key is not None else one(HOLE))
        world.heap.put(listed, number, held)
    return one(listed) if slots else one(listed) | NOTHING
