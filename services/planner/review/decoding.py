"""Numbers to letters, encoded texts to clear ones, addresses to parts and back: the ways in which code hides a name."""

from __future__ import annotations

import ast
import binascii
import codecs
import re
from collections.abc import Callable
from urllib.parse import quote, unquote, urljoin, urlunsplit

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
    pages = [page for page in pages if "://" in page] or pages
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


def parts(world: World, scope: Scope, node: ast.AST, arguments: Arguments) -> Value:
    """urlsplit and urlparse: an object with the parts of the known addresses. Several schemes are a hole: host and
    scheme of different addresses would be put together."""
    given = texts(arguments.at(0))
    box = Box(f"url:{scope.site(node)}", "object")
    split = [_split(text) for text in given if "://" in text or not is_whole(text)]
    schemes = {scheme for scheme, _, _ in split}
    world.heap.put(box, "scheme", frozenset(schemes) if len(schemes) == 1 else one(HOLE))
    for _, place, path in split:
        world.heap.put(box, "netloc", one(place))
        world.heap.put(box, "hostname", one(place.rpartition("@")[2].partition(":")[0].lower()))
        world.heap.put(box, "path", one(path))
    for name in ("query", "fragment", "params", "port"):
        world.heap.put(box, name, one(HOLE))
    return one(box)


def _split(text: str) -> tuple[str, str, str]:
    """Scheme, host with port, path: each a hole where it cannot be told. A link's host stays a link's."""
    scheme, mark, rest = plain(text).partition("://")
    if not mark or HOLE in scheme:
        return HOLE, HOLE, HOLE
    place = re.split(r"[/?#\ue001]", rest, maxsplit=1)[0]
    if LINK in rest:
        return scheme, place + LINK, HOLE
    return scheme, place, re.split(r"[?#]", rest[len(place) :], maxsplit=1)[0]


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
