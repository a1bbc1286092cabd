"""A page as a tree of places, so that what stands in the same kind of place can be told from the rest. Pure.

Reads HTML, XML, JSON (also inside a page's scripts) and CSV as far as they can be read; what is broken beyond that
has fewer places. Each step looks at a character a bounded number of times: anybody may have written the page.
"""

from __future__ import annotations

import csv
import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

MOST_CHARACTERS = 2_000_000
MOST_LEAVES = 50_000
_DEEPEST = 100
_TAG = re.compile(r"<(/?)([A-Za-z][\w:.-]*)([^<>]*)>")
_ATTRIBUTE = re.compile(r"([\w:.-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
# Begins where another of these is still open: HTML lets their ends be left out.
_ENDS = {
    "li": {"li"},
    "dt": {"dt", "dd"},
    "dd": {"dt", "dd"},
    "tr": {"tr", "td", "th"},
    "td": {"td", "th"},
    "th": {"td", "th"},
    "option": {"option"},
}
# Say how a page looks or where it leads, not what it tells.
_SILENT = frozenset({"class", "id", "style", "href", "src", "srcset", "rel", "type", "lang", "charset"})
_DATA = re.compile(r"[{\[]")


@dataclass(eq=False)
class Node:
    """path: the names from the root down to here, as a number; look: its name with all its classes; place: among its
    parent's children; texts: that stand in it directly."""

    path: int
    look: str
    parent: Node | None = None
    place: int = 0
    children: list[Node] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def upwards(self) -> Iterator[Node]:
        here: Node | None = self
        while here is not None:
            yield here
            here = here.parent

    def downwards(self) -> Iterator[Node]:
        yield self
        for child in self.children:
            yield from child.downwards()


@dataclass(frozen=True, eq=False)
class Leaf:
    """A text in its place. kind: leaves of one page with the same kind stand in the same sort of place."""

    node: Node
    kind: tuple[int, str, str]
    text: str


class Page:
    """grouped: see numbers.numbers_in; False for CSV."""

    def __init__(self, text: str, *, grouped: bool = True) -> None:
        self.root = Node(0, "")
        self.leaves: list[Leaf] = []
        self._paths: dict[tuple[int, str], int] = {}
        text = text[:MOST_CHARACTERS]
        if not grouped:
            self._table(text)
        elif not self._data(text, self.root):
            self._markup(text)

    def _node(self, parent: Node, name: str, look: str = "") -> Node:
        path = self._paths.setdefault((parent.path, name), len(self._paths) + 1)
        made = Node(path, look or name, parent, len(parent.children))
        parent.children.append(made)
        return made

    def _leaf(self, node: Node, slot: str, text: str) -> None:
        plain = " ".join(text.split())
        if plain and len(self.leaves) < MOST_LEAVES:
            self.leaves.append(Leaf(node, (node.path, node.look, slot), plain))
            node.texts.append(plain)

    def _table(self, text: str) -> None:
        """Without its first line, which names the columns."""
        try:
            for row in csv.reader(text.splitlines()[1:]):
                line = self._node(self.root, "line")
                for number, cell in enumerate(row):
                    self._leaf(self._node(line, f"cell {number}"), "", cell)
        except csv.Error:
            return

    def _data(self, text: str, parent: Node) -> bool:
        """The first JSON value in it; False when there is none."""
        begin = _DATA.search(text)
        if begin is None or (parent is self.root and text[: begin.start()].strip()):
            return False
        try:
            value, _ = json.JSONDecoder().raw_decode(text, begin.start())
        except (ValueError, RecursionError):
            return False
        self._value(value, parent, "", _DEEPEST)
        return True

    def _value(self, value: object, parent: Node, slot: str, depth: int) -> None:
        if depth == 0 or len(self.leaves) >= MOST_LEAVES:
            return
        if isinstance(value, dict):
            for name, inner in value.items():
                self._value(inner, self._node(parent, str(name)), "", depth - 1)
        elif isinstance(value, list):
            for inner in value:
                self._value(inner, self._node(parent, "[]"), "", depth - 1)
        elif value is not None and not isinstance(value, bool):
            self._leaf(parent, slot, str(value))

    def _markup(self, text: str) -> None:
        here, depth, at, lowered = self.root, 0, 0, text.lower()
        while at < len(text) and len(self.leaves) < MOST_LEAVES:
            if text[at] != "<":
                end = text.find("<", at)
                end = len(text) if end < 0 else end
                self._leaf(here, "", html.unescape(text[at:end]))
                at = end
                continue
            if (after := self._aside(text, at, here)) is not None:
                at = after
                continue
            tag = _TAG.match(text, at)
            if tag is None:
                at += 1
                continue
            at, name = tag.end(), tag[2].lower()
            if tag[1]:
                here, depth = _closed(here, depth, name)
                continue
            here, depth = self._implied(here, depth, name)
            node = self._element(here, name, tag[3])
            if name in ("script", "style"):
                end = lowered.find(f"</{name}", at)
                end = len(text) if end < 0 else end
                self._data(text[at:end], node)
                at = end
            elif name not in _VOID and not tag[3].endswith("/") and depth < _DEEPEST:
                here, depth = node, depth + 1

    def _aside(self, text: str, at: int, here: Node) -> int | None:
        """Behind a comment or a block of plain text that begins here; one that does not end takes the rest."""
        for begin, end in (("<!--", "-->"), ("<![CDATA[", "]]>"), ("<!", ">"), ("<?", ">")):
            if text.startswith(begin, at):
                stop = text.find(end, at + len(begin))
                stop = len(text) if stop < 0 else stop
                if begin == "<![CDATA[":
                    self._leaf(here, "", text[at + len(begin) : stop])
                return stop + len(end)
        return None

    def _implied(self, here: Node, depth: int, name: str) -> tuple[Node, int]:
        while here.parent is not None and _tag_of(here) in _ENDS.get(name, ()):
            here, depth = here.parent, depth - 1
        return here, depth

    def _element(self, parent: Node, name: str, attributes: str) -> Node:
        found = {
            m[1].lower(): html.unescape(m[2] or m[3] or m[4] or "") for m in _ATTRIBUTE.finditer(attributes)
        }
        classes = found.get("class", "").split()
        node = self._node(parent, f"{name} {found.get('itemprop', '')}", ".".join((name, *sorted(classes))))
        for attribute, value in found.items():
            if attribute not in _SILENT and attribute != "itemprop":
                self._leaf(node, attribute, value)
        return node


def _tag_of(node: Node) -> str:
    return node.look.partition(".")[0]


def _closed(here: Node, depth: int, name: str) -> tuple[Node, int]:
    """An end without a beginning ends nothing."""
    for up, node in enumerate(here.upwards()):
        if node.parent is not None and _tag_of(node) == name:
            return node.parent, depth - up - 1
    return here, depth
