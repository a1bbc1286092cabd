"""Paths. A `Path` is kept as its text: `Path("a") / "b"` is "a/b", and its methods are these."""

from __future__ import annotations

import ast
import posixpath

from services.planner.review import datafiles, filesystem, folding
from services.planner.review.arguments import Arguments
from services.planner.review.values import (
    ANYTHING,
    HOLE,
    NOTHING,
    OpenFile,
    Value,
    narrow,
    one,
    texts,
)
from services.planner.review.world import Scope, World

_READING = frozenset({"read_text", "read_bytes", "iterdir", "glob", "rglob", "walk"})
_WRITING = frozenset(
    "write_text write_bytes mkdir unlink rmdir touch rename replace symlink_to hardlink_to chmod".split()
)
_SAME = frozenset({"resolve", "absolute", "expanduser", "as_posix", "__enter__", "__str__"})


def text_property(path: str, name: str) -> Value:
    """Nothing for what is no property of a path."""
    if name == "parent":
        return one(posixpath.dirname(path.rstrip("/")) or ".")
    if name == "name":
        return one(posixpath.basename(path))
    if name == "stem":
        return one(posixpath.splitext(posixpath.basename(path))[0])
    if name == "suffix":
        return one(posixpath.splitext(path)[1])
    return NOTHING


def method(world: World, scope: Scope, node: ast.AST, path: str, name: str, arguments: Arguments) -> Value:
    if name in _SAME:
        return one(f"{path}/" if path.startswith("~") and name == "expanduser" else path)
    if name == "open":
        return opened(world, scope, node, one(path), arguments.at(0, "mode"))
    if name in _READING:
        filesystem.used(world, scope, node, path, writes=False)
        return _read(world, path, name, arguments)
    if name in _WRITING:
        filesystem.used(world, scope, node, path, writes=True)
        return one(None)
    if name == "joinpath":
        value = one(path)
        for part in arguments.positional:
            value = folding.joined_path(value, part)
        return value
    if name in ("with_suffix", "with_name", "with_stem", "relative_to"):
        return one(posixpath.join(posixpath.dirname(path), HOLE))
    return ANYTHING


def _read(world: World, path: str, name: str, arguments: Arguments) -> Value:
    if name in ("iterdir", "glob", "rglob", "walk"):
        found = posixpath.join(path, HOLE)
        return datafiles.rows(world, f"folder:{path}", [found])
    file = datafiles.bundled(world, path)
    return datafiles.method(world, OpenFile(file), name) if file is not None else one(HOLE)


def opened(world: World, scope: Scope, node: ast.AST, path: Value, mode: Value) -> Value:
    """`open(path, mode)`, also of io, gzip and others."""
    modes = texts(mode)
    writes = any(letter in text for text in modes for letter in "wax+")
    found: set[OpenFile] = set()
    others = NOTHING
    for atom in path:
        if isinstance(atom, int):
            continue
        text = atom if isinstance(atom, str) else HOLE
        filesystem.used(world, scope, node, text, writes=writes)
        file = datafiles.bundled(world, text)
        if file is not None and not writes:
            found.add(OpenFile(file))
        else:
            others = ANYTHING
    return narrow(frozenset(found) | others) or world.missing
