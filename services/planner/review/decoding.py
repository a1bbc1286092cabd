"""Numbers to letters, encoded texts to clear ones, addresses to parts and back: the ways in which code hides a name."""

from __future__ import annotations

import ast
import binascii
import codecs
from collections.abc import Callable
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

from services.planner.review.arguments import Arguments
from services.planner.review.values import (
    HOLE,
    LINK,
    MOST_LETTERS,
    Atom,
    Box,
    Ref,
    Unknown,
    Value,
    as_text,
    is_whole,
    narrow,
    one,
    plain,
    texts,
)
from services.planner.review.world import Scope, World

Known = Callable[[World, Scope, ast.AST, Arguments], Value]


def letter_of(_world: World, _scope: Scope, _node: ast.AST, arguments: Arguments) -> Value:
    return narrow(
        chr(number) if isinstance(number, int) and 0 <= number < 0xD800 else HOLE
        for number in arguments.at(0)
    )


def number_of(_world: World, _scope: Scope, _node: ast.AST, arguments: Arguments) -> Value:
    return narrow(
        ord(text) if isinstance(text, str) and len(text) == 1 and is_whole(text) else Unknown()
        for text in arguments.at(0)
    )


def whole_number(_world: World, _scope: Scope, _node: ast.AST, arguments: Arguments) -> Value:
    bases = [base for base in arguments.at(1, "base") if isinstance(base, int)] or [10]
    found: set[Atom] = set()
    for atom in arguments.at(0):
        if isinstance(atom, int) and not isinstance(atom, bool):
            found.add(atom)
            continue
        try:
            small = isinstance(atom, str) and len(atom) < 40 and bases[0] in range(37)
            found.add(int(atom, bases[0]) if small and isinstance(atom, str) else Unknown())
        except ValueError:
            found.add(Unknown())
    return frozenset(found)


def bytes_of(world: World, _scope: Scope, _node: ast.AST, arguments: Arguments) -> Value:
    found: set[Atom] = set()
    for atom in arguments.at(0):
        order = world.heap.in_order(atom) if isinstance(atom, Box) else None
        numbers = [next(iter(value)) for value in order if len(value) == 1] if order is not None else []
        if isinstance(atom, bytes):
            found.add(atom)
        elif order is not None and len(numbers) == len(order):
            small = [number for number in numbers if isinstance(number, int) and 0 <= number < 256]
            found.add(bytes(small) if len(small) == len(numbers) else Unknown())
        elif isinstance(atom, str) and is_whole(atom):
            found.add(atom.encode("utf-8", "replace"))
        else:
            found.add(Unknown())
    return frozenset(found)


def joined_address(_world: World, _scope: Scope, _node: ast.AST, arguments: Arguments) -> Value:
    """urljoin: a link that cannot be told is joined to what is known of its page."""
    found: set[Atom] = set()
    pages, links = texts(arguments.at(0, "base")), texts(arguments.at(1, "url"))
    if len(pages) * len(links) > 600:
        pages = pages[:24]
    for page in pages:
        for link in links:
            if is_whole(page) and is_whole(link):
                try:
                    found.add(urljoin(page, link))
                except ValueError:
                    found.add(HOLE)
            elif "://" in plain(link).partition(HOLE)[0]:
                found.add(link)
            elif link.startswith("/") and not link.startswith("//") and "://" in page.partition(HOLE)[0]:
                scheme, _, rest = page.partition("://")
                found.add(f"{scheme}://{rest.partition('/')[0].partition(HOLE)[0]}{link}")
            else:
                found.add(page.partition(HOLE)[0].partition(LINK)[0] + LINK)
    return frozenset(found)


def quoted(_world: World, _scope: Scope, _node: ast.AST, arguments: Arguments) -> Value:
    return narrow(quote(text) if is_whole(text) else HOLE for text in texts(arguments.at(0)))


def unquoted(_world: World, _scope: Scope, _node: ast.AST, arguments: Arguments) -> Value:
    return narrow(unquote(text) if is_whole(text) else HOLE for text in texts(arguments.at(0)))


def parts(world: World, _scope: Scope, _node: ast.AST, arguments: Arguments) -> Value:
    """urlsplit and urlparse: an object with the parts of each known address."""
    box = Box(f"url:{hash(arguments.at(0))}", "object")
    for text in texts(arguments.at(0)):
        try:
            parts = urlsplit(text) if is_whole(text) else None
            host = parts.hostname if parts is not None else None
        except ValueError:
            parts = None
        for name in ("scheme", "netloc", "path", "query", "fragment"):
            world.heap.put(box, name, one(getattr(parts, name) if parts is not None else HOLE))
        world.heap.put(box, "hostname", one(host if parts is not None else HOLE))
    return one(box)


def from_parts(world: World, _scope: Scope, _node: ast.AST, arguments: Arguments) -> Value:
    for atom in arguments.at(0):
        order = world.heap.in_order(atom) if isinstance(atom, Box) else None
        if order is not None and len(order) >= 3:
            firsts = [as_text(next(iter(sorted(value, key=repr)), HOLE)) for value in order[:3]]
            return one(urlunsplit((*firsts, "", ""))) if all(map(is_whole, firsts)) else one(HOLE)
    return one(HOLE)


def decoded(name: str, decode: Callable[[bytes], bytes]) -> Known:
    """The decoded text, remembered as such, beside a mark that says where it came from."""

    def known(world: World, _scope: Scope, _node: ast.AST, arguments: Arguments) -> Value:
        found: set[Atom] = set()
        for atom in arguments.at(0):
            data = atom.encode("ascii", "ignore") if isinstance(atom, str) and is_whole(atom) else atom
            try:
                clear = decode(data) if isinstance(data, bytes) and len(data) <= 4 * MOST_LETTERS else None
            except (ValueError, binascii.Error):
                clear = None
            if clear is None:
                found.add(Ref(f"{name}()"))
                continue
            world.decoded.add(clear.decode("utf-8", "replace"))
            found.add(clear)
        return frozenset(found) or one(Ref(f"{name}()"))

    return known


def codec(world: World, _scope: Scope, _node: ast.AST, arguments: Arguments) -> Value:
    """codecs.decode of the ciphers that hide text: rot13, hex, base64."""
    found: set[Atom] = set()
    for atom in arguments.at(0):
        for name in texts(arguments.at(1, "encoding")):
            rotated = name.replace("_", "").replace("-", "") == "rot13" and isinstance(atom, str)
            if rotated and isinstance(atom, str) and is_whole(atom):
                clear = codecs.decode(atom, "rot13")
                world.decoded.add(clear)
                found.add(clear)
            else:
                found.add(Ref("codecs.decode()"))
    return frozenset(found)
