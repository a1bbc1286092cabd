"""Works out operators and methods of known texts and numbers. Bounded: whatever would grow is a hole instead."""

from __future__ import annotations

import ast
import itertools
import posixpath
import re
import string
from collections.abc import Callable, Sequence

from services.planner.review.values import (
    ANYTHING,
    HOLE,
    LINK,
    MOST_LETTERS,
    NOTHING,
    Atom,
    Box,
    Unknown,
    Value,
    combine,
    cut,
    is_whole,
    narrow,
    one,
    texts,
)
from services.planner.review.world import World

MOST_CHOICES = 64
_PERCENT = re.compile(r"%(?:\((\w+)\))?([-+ #0-9.]*)([a-zA-Z%])")
_PLAIN_METHODS: dict[str, Callable[[str], str]] = {
    "upper": str.upper,
    "lower": str.lower,
    "casefold": str.casefold,
    "title": str.title,
    "capitalize": str.capitalize,
    "swapcase": str.swapcase,
}
_TRIMMING: dict[str, Callable[[str, str | None], str]] = {
    "strip": str.strip,
    "lstrip": str.lstrip,
    "rstrip": str.rstrip,
}


def operated(world: World, node: ast.BinOp, file: str, left: Value, right: Value) -> Value:
    if isinstance(node.op, ast.Add):
        return _added(world, node, file, left, right)
    if isinstance(node.op, ast.Mod) and any(isinstance(atom, str) for atom in left):
        templates = [atom for atom in left if isinstance(atom, str)]
        return narrow(found for template in templates for found in _percent(world, template, right))
    if isinstance(node.op, ast.Div) and any(isinstance(atom, str) for atom in left | right):
        return joined_path(left, right)
    if isinstance(node.op, ast.BitOr):
        return narrow(left | right)
    return narrow(_number(node.op, a, b) for a in left for b in list(right)[:MOST_CHOICES])


def _number(operator: ast.operator, a: Atom, b: Atom) -> Atom:
    if isinstance(operator, ast.Mult):
        for text, times in ((a, b), (b, a)):
            if isinstance(text, str | bytes) and isinstance(times, int):
                return text * times if 0 <= times * len(text) <= MOST_LETTERS else HOLE
    small = isinstance(a, int) and isinstance(b, int) and abs(a) < 10**12 and abs(b) < 10**12
    if not small or not isinstance(a, int) or not isinstance(b, int):
        return Unknown()
    worked = _WHOLE_NUMBERS.get(type(operator))
    return worked(a, b) if worked is not None and (b or not isinstance(operator, ast.Mod)) else Unknown()


_WHOLE_NUMBERS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.BitXor: lambda a, b: a ^ b,
    ast.Mod: lambda a, b: a % b,
}


def _added(world: World, node: ast.BinOp, file: str, left: Value, right: Value) -> Value:
    boxes = [atom for atom in left | right if isinstance(atom, Box)]
    if boxes:
        made = Box(f"added:{file}:{node.lineno}:{node.col_offset}", "list")
        for box in boxes:
            if box != made:
                world.heap.put(made, None, world.heap.get(box, None))
        return one(made)
    if any(isinstance(atom, str) for atom in left | right):
        return combine(left or world.unclear, right or world.unclear)
    found: set[Atom] = set()
    for a, b in itertools.islice(itertools.product(left, right), MOST_CHOICES):
        if isinstance(a, bytes) and isinstance(b, bytes):
            found.add((a + b)[:MOST_LETTERS])
        elif isinstance(a, int) and isinstance(b, int) and abs(a) + abs(b) < 10**12:
            found.add(a + b)
        else:
            found.add(Unknown())
    return frozenset(found)


def joined_path(left: Value, right: Value) -> Value:
    """What `Path / name` and os.path.join give: an absolute right side wins."""
    found = set()
    for a, b in itertools.islice(itertools.product(texts(left), texts(right)), 512):
        found.add(cut(posixpath.join(a, b)))
    return frozenset(found)


def _percent(world: World, template: str, right: Value) -> Value:
    """A `%` template. Widths are holes: they only pad."""
    value: Value = one("")
    place, position = 0, 0
    boxes = [atom for atom in right if isinstance(atom, Box)]
    for match in _PERCENT.finditer(template):
        value = combine(value, one(template[position : match.start()]))
        position = match.end()
        name, flags, kind = match.groups()
        if kind == "%":
            value = combine(value, one("%"))
            continue
        piece: Value = one(HOLE)
        if not flags and kind in "sdi":
            if not boxes:
                piece = right
            else:
                piece = narrow(
                    found for box in boxes for found in world.heap.get(box, place if name is None else name)
                )
        value = combine(value, piece or world.unclear)
        place += 1
    return combine(value, one(template[position:]))


def formatted(world: World, template: str, positional: Sequence[Value], keywords: dict[str, Value]) -> Value:
    value: Value = one("")
    place = 0
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError:
        return one(HOLE)
    for literal, name, spec, conversion in parts:
        value = combine(value, one(literal))
        if name is None:
            continue
        piece: Value = one(HOLE)
        if not spec and not conversion:
            wanted = name or str(place)
            place += not name
            if wanted.isdecimal() and len(wanted) < 4 and int(wanted) < len(positional):
                piece = positional[int(wanted)]
            elif wanted in keywords:
                piece = keywords[wanted]
        value = combine(value, piece or world.unclear)
    return value


def letters(atom: Atom) -> list[Value] | None:
    """The elements of a text or of bytes, when they can be told."""
    if isinstance(atom, str) and is_whole(atom):
        return [one(letter) for letter in atom]
    if isinstance(atom, bytes):
        return [one(number) for number in atom]
    return None


def letter(owner: str | bytes, keys: Value) -> Value:
    if isinstance(owner, str) and not is_whole(owner):
        return one(HOLE)
    found: set[Atom] = set()
    for key in keys:
        known = isinstance(key, int) and -len(owner) <= key < len(owner)
        found.add(owner[key] if known and isinstance(key, int) else HOLE)
    return frozenset(found)


def sliced(world: World, owners: Value, bounds: list[Value]) -> Value:
    """`owner[a:b:c]`. Of a list whose cut cannot be told: all of it."""
    known = [next(iter(value)) if len(value) == 1 else Unknown() for value in bounds]
    numbers = [number for number in known if number is None or isinstance(number, int)]
    told = len(numbers) == 3 and numbers[2] != 0
    found: set[Atom] = set()
    for owner in owners:
        if isinstance(owner, str):
            found.add(
                owner[slice(*numbers)] if told and is_whole(owner) else _beginning(owner, numbers, told)
            )
        elif isinstance(owner, bytes):
            found.add(owner[slice(*numbers)] if told else Unknown())
        elif isinstance(owner, Box):
            order = world.heap.in_order(owner)
            if order is None or not told:
                found.add(owner)
                continue
            part = Box(f"{owner.site}{numbers}", "list")
            world.heap.boxes.setdefault(part.site, {})
            for index, element in enumerate(order[slice(*numbers)]):
                world.heap.put(part, index, element)
            found.add(part)
        else:
            found.add(owner)
    return frozenset(found)


def _beginning(owner: str, numbers: list[int | None], told: bool) -> str:
    start = owner.partition(HOLE)[0].partition(LINK)[0]
    if told and numbers[0] in (None, 0) and numbers[2] in (None, 1):
        end = numbers[1]
        return start[:end] if end is not None and 0 <= end <= len(start) else start + HOLE
    return HOLE


def text_method(
    world: World, owner: str, name: str, positional: Sequence[Value], keywords: dict[str, Value]
) -> Value:
    """A text's method by name; nothing when it is none of a text's."""
    if name in _PLAIN_METHODS:
        return one(_PLAIN_METHODS[name](owner))
    if name in _TRIMMING:
        return narrow(
            _trimmed(owner, name, cut_away) for cut_away in (positional[0] if positional else one(None))
        )
    if name in ("removeprefix", "removesuffix"):
        affixes = texts(positional[0]) if positional else [""]
        return narrow(_without_affix(owner, name, affix) for affix in affixes)
    if name == "replace" and len(positional) >= 2:
        return narrow(
            _replaced(owner, old, new)
            for old, new in itertools.islice(
                itertools.product(texts(positional[0]), texts(positional[1])), 64
            )
        )
    if name == "format":
        return formatted(world, owner, positional, keywords)
    if name == "format_map":
        return one(HOLE)
    if name == "join" and positional:
        return _glued(world, owner, positional[0])
    if name == "encode":
        return one(owner.encode("utf-8", "replace")) if is_whole(owner) else ANYTHING
    if name == "translate" or name in ("center", "ljust", "rjust", "zfill", "expandtabs"):
        return one(HOLE)
    return NOTHING


def _trimmed(owner: str, name: str, letters_cut: Atom) -> str:
    return _TRIMMING[name](owner, letters_cut if isinstance(letters_cut, str) else None)


def _without_affix(owner: str, name: str, affix: str) -> str:
    return owner.removeprefix(affix) if name == "removeprefix" else owner.removesuffix(affix)


def _replaced(owner: str, old: str, new: str) -> str:
    if HOLE in old:
        return HOLE
    times = owner.count(old) if old else len(owner)
    return owner.replace(old, new) if times * len(new) <= 4 * MOST_LETTERS else HOLE


def _glued(world: World, glue: str, listed: Value) -> Value:
    value: Value = NOTHING
    for atom in listed:
        order = world.heap.in_order(atom) if isinstance(atom, Box) else letters(atom)
        if order is None or len(order) > 600:
            value |= one(HOLE)
            continue
        text: Value = one("")
        for index, element in enumerate(order):
            text = combine(text, combine(one(glue if index else ""), element or world.unclear))
        value |= text
    return value or world.unclear


def pieces(world: World, owner: str, name: str, separators: Value, site: str) -> Value:
    """What split, rsplit, splitlines, partition give: a list."""
    box = Box(f"{site}:{name}", "list")
    world.heap.boxes.setdefault(box.site, {})
    separator = next(iter(separators)) if len(separators) == 1 else None
    if not is_whole(owner):
        for part in re.split(f"[{HOLE}\\s]+", owner):
            world.heap.put(box, None, one(part + HOLE))
        return one(box)
    parts = _split(owner, name, separator if isinstance(separator, str) and separator else None)
    for index, part in enumerate(parts[:1500]):
        world.heap.put(box, index, one(part))
    return one(box)


def _split(owner: str, name: str, separator: str | None) -> list[str]:
    if name == "splitlines":
        return owner.splitlines()
    if name == "partition" and separator:
        return list(owner.partition(separator))
    if name == "rpartition" and separator:
        return list(owner.rpartition(separator))
    return owner.split(separator)
