"""Data files of the bundle as values: a settings file's addresses are as good as addresses in the code."""

from __future__ import annotations

import json
import posixpath
import tomllib
from collections.abc import Mapping, Sequence

from services.planner.review.values import (
    ANYTHING,
    HOLE,
    NOTHING,
    Box,
    OpenFile,
    Value,
    is_whole,
    one,
)
from services.planner.review.world import World

LARGEST_BYTES = 512 * 1024
MOST_DEEP = 24
MOST_VALUES = 4_000


def bundled(world: World, path: str) -> str | None:
    """The bundle's file that a path names; seen from the bundle's folder, where a run starts."""
    if not is_whole(path) or "\0" in path:
        return None
    name = posixpath.normpath(path)
    return name if name in world.files else None


def text_of(world: World, file: str) -> str | None:
    data = world.files.get(file, b"")
    if len(data) > LARGEST_BYTES:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def lines(world: World, file: str) -> Value:
    text = text_of(world, file)
    if text is None:
        return one(HOLE)
    return frozenset(line + "\n" for line in text.splitlines()[:MOST_VALUES])


def method(world: World, opened: OpenFile, name: str) -> Value:
    text = text_of(world, opened.file)
    if name in ("read", "read_text"):
        return one(text if text is not None and len(text) < LARGEST_BYTES else HOLE)
    if name == "read_bytes":
        return one(world.files.get(opened.file, b""))
    if name in ("readlines", "readline"):
        if name == "readline":
            return lines(world, opened.file)
        return rows(world, opened.file, [line + "\n" for line in (text or "").splitlines()])
    return one(opened) if name == "__enter__" else ANYTHING


def rows(world: World, site: str, listed: Sequence[str]) -> Value:
    box = Box(f"lines:{site}", "list")
    world.heap.boxes.setdefault(box.site, {})
    for index, line in enumerate(listed[:MOST_VALUES]):
        world.heap.put(box, index, one(line))
    return one(box)


def parsed(world: World, form: str, source: Value) -> Value:
    """What json.load, tomllib.load, csv.DictReader and the like make of a bundled file or a known text."""
    value: Value = NOTHING
    for atom in source:
        if isinstance(atom, OpenFile):
            text, site = text_of(world, atom.file), atom.file
        elif isinstance(atom, bytes):
            text, site = atom.decode("utf-8", "replace"), f"bytes:{hash(atom)}"
        elif isinstance(atom, str) and is_whole(atom):
            text, site = atom, f"text:{hash(atom)}"
        elif isinstance(atom, Box):
            value |= _of_lines(world, form, atom)
            continue
        else:
            text, site = None, ""
        if text is None or len(text) > LARGEST_BYTES:
            value |= ANYTHING
            continue
        key = (form, site)
        if key not in world.parsed:
            world.parsed[key] = _parse(world, form, text, f"{form}:{site}")
        value |= world.parsed[key]
    return value or world.missing


def _of_lines(world: World, form: str, box: Box) -> Value:
    texts = sorted(atom for atom in world.heap.get(box, None) if isinstance(atom, str))
    return _parse(world, form, "\n".join(texts), f"{form}:{box.site}") if form != "json" else ANYTHING


def _parse(world: World, form: str, text: str, site: str) -> Value:
    try:
        if form == "json":
            return _held(world, json.loads(text), site, 0)
        if form == "toml":
            return _held(world, tomllib.loads(text), site, 0)
    except (ValueError, RecursionError):
        return ANYTHING
    return _words(world, text, site)


def _held(world: World, found: object, site: str, depth: int) -> Value:
    if isinstance(found, str | int | float) or found is None:
        return one(found)
    if depth > MOST_DEEP or not isinstance(found, Mapping | list):
        return ANYTHING
    box = Box(f"data:{site}", "dict" if isinstance(found, Mapping) else "list")
    world.heap.boxes.setdefault(box.site, {})
    pairs = found.items() if isinstance(found, Mapping) else enumerate(found)
    for number, (key, inner) in enumerate(pairs):
        if number >= MOST_VALUES:
            break
        world.heap.put(box, key, _held(world, inner, f"{site}/{key}", depth + 1))
    return one(box)


def _words(world: World, text: str, site: str) -> Value:
    """Of tables and settings in other forms (csv, yaml, ini): a box whose every place may hold any of its
    words, however deep one looks."""
    box = Box(f"data:{site}", "dict")
    for line in text.splitlines()[:MOST_VALUES]:
        for part in line.replace('"', " ").replace("'", " ").replace(",", " ").replace("\t", " ").split():
            world.heap.put(box, None, one(part))
    world.heap.put(box, None, frozenset({box, HOLE}))
    return one(box)
