"""What an expression may be, as far as reading tells: a set of atoms. Texts may hold holes.

Everything here is bounded: a set that grows too large becomes its common beginning followed by a hole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

# Stands in a text for what cannot be told. Private use: real texts do not hold it.
HOLE = "\ue000"
# Stands in a text for a link that was joined to a known address: "https://shop.example/new" + LINK.
LINK = "\ue001"
_SECRET = re.compile("\ue002([^\ue003]*)\ue003")

MOST_ATOMS = 1500
MOST_PRODUCTS = 1500
MOST_LETTERS = 4_096
MOST_CALLS_DEEP = 6


@dataclass(frozen=True, slots=True)
class Unknown:
    """Anything at all."""


@dataclass(frozen=True, slots=True)
class Ref:
    """Something outside the bundle by its dotted name: "os.system", and "requests.Session()" for what a call
    gave. `base` is the address that a client object was made with."""

    name: str
    base: str = ""

    @property
    def is_object(self) -> bool:
        return "()" in self.name

    def dot(self, attribute: str) -> Atom:
        return _deeper(f"{self.name}.{attribute}", self.base)

    def called(self, base: str = "") -> Atom:
        return _deeper(f"{self.name}()", base or self.base)

    @property
    def top(self) -> str:
        return self.name.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Function:
    """A def or lambda of the bundle by the number of its scope; `owner`: the object it was taken from."""

    scope: int
    owner: Box | None = None


@dataclass(frozen=True, slots=True)
class Class:
    scope: int


@dataclass(frozen=True, slots=True)
class Module:
    """A Python file of the bundle."""

    file: str


@dataclass(frozen=True, slots=True)
class Box:
    """A list, dict or object by the place where the code makes it; `Heap` has what is in it."""

    site: str
    kind: Literal["list", "dict", "object"]


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A data file of the bundle."""

    file: str


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a plain value, not yet called."""

    receiver: str | bytes | int | float | Box | OpenFile
    name: str


@dataclass(frozen=True, slots=True)
class Partial:
    """`functools.partial`: `site` keeps the arguments."""

    site: str


Atom = (
    str
    | bytes
    | int
    | float
    | None
    | Unknown
    | Ref
    | Function
    | Class
    | Module
    | Box
    | OpenFile
    | Method
    | Partial
)
Value = frozenset[Atom]

NOTHING: Value = frozenset()
ANYTHING: Value = frozenset({Unknown()})


def _deeper(name: str, base: str) -> Atom:
    return Ref(name, base) if name.count(".") + name.count("()") <= 12 and len(name) < 200 else Unknown()


def one(atom: Atom) -> Value:
    return frozenset({atom})


def secret_text(name: str) -> str:
    return f"\ue002{name}\ue003"


def secret_names(text: str) -> frozenset[str]:
    return frozenset(_SECRET.findall(text))


def leading_secret(text: str) -> str | None:
    """The secret that a text begins with: its value is an address of its own."""
    match = _SECRET.match(text)
    return match.group(1) if match else None


def plain(text: str) -> str:
    """With secrets as holes: what can be told of it as an address or path."""
    return _SECRET.sub(HOLE, text)


def is_whole(text: str) -> bool:
    return not any(mark in text for mark in (HOLE, LINK, "\ue002"))


def narrow(atoms: Iterable[Atom]) -> Value:
    """The set itself while it is small; beyond that its texts become their common beginning."""
    value = frozenset(atoms)
    if len(value) <= MOST_ATOMS:
        return value
    return shortened(value)


def shortened(value: Value) -> Value:
    strings = [atom for atom in value if isinstance(atom, str)]
    others = [atom for atom in value if not isinstance(atom, str | bytes | int | float)]
    start = _common_start(strings).partition(HOLE)[0]
    return frozenset([*others[:MOST_ATOMS], start + HOLE])


def _common_start(strings: list[str]) -> str:
    low, high = min(strings, default=""), max(strings, default="")
    same = next((place for place, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), len(low))
    return low[:same]


def texts(value: Value) -> list[str]:
    """As texts, what cannot be told as a hole."""
    found = {as_text(atom) for atom in value}
    return sorted(found)


def as_text(atom: Atom) -> str:
    if isinstance(atom, str):
        return atom
    if isinstance(atom, bool | int | float) or atom is None:
        return str(atom) if not isinstance(atom, int) or abs(atom) < 10**18 else HOLE
    return HOLE


def cut(text: str) -> str:
    return text if len(text) <= MOST_LETTERS else text[:MOST_LETTERS] + HOLE


def combine(left: Value, right: Value) -> Value:
    """Every left text followed by every right one."""
    if len(left) * len(right) > MOST_PRODUCTS:
        left, right = shortened(left), shortened(right)
    return narrow(cut(a + b) for a in texts(left) for b in texts(right))


@dataclass
class Heap:
    """What boxes hold. A key None stands for every place that cannot be told."""

    boxes: dict[str, dict[str | int | None, Value]] = field(default_factory=dict)
    changed: bool = False

    def put(self, box: Box, key: str | int | None, value: Value) -> None:
        slots = self.boxes.setdefault(box.site, {})
        if key not in slots and len(slots) >= MOST_ATOMS:
            key = None
        before = slots.get(key, NOTHING)
        after = narrow(before | value)
        if after != before or key not in slots:
            slots[key] = after
            self.changed = True

    def get(self, box: Box, key: str | int | None) -> Value:
        """A key None asks for everything in the box."""
        slots = self.boxes.get(box.site, {})
        if key is None:
            return narrow(atom for value in slots.values() for atom in value)
        if key not in slots and box.kind == "list" and not isinstance(key, str):
            return self.get(box, None)
        return slots.get(key, NOTHING) | slots.get(None, NOTHING)

    def keys(self, box: Box) -> Value:
        names = frozenset(key for key in self.boxes.get(box.site, {}) if key is not None)
        return names | ANYTHING if None in self.boxes.get(box.site, {}) else names

    def in_order(self, box: Box) -> list[Value] | None:
        """The elements of a list whose order is known, else None."""
        slots = self.boxes.get(box.site, {})
        if box.kind != "list" or set(slots) != set(range(len(slots))):
            return None
        return [slots[index] for index in range(len(slots))]
