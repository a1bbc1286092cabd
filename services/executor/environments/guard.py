"""Judges the packages of a lock by name and age: invented, mistaken for another, too new. Pure.

The names that others imitate are in popular.txt. What the index does not tell counts as unknown, and unknown asks.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from packaging.version import Version

from services.executor.environments.pages import Project

Kind = Literal["invented", "mistaken", "new_project", "new_version", "unknown_age", "few_files", "no_wheel"]

NEW_PROJECT = timedelta(days=30)  # sandbox.md's supply chain rules
NEW_VERSION = timedelta(days=7)
_FEW = 2
_SHORT = 4  # names this short are one letter from half of the list; only the best known count for them
_BEST_KNOWN = 300
_LIST = Path(__file__).with_name("popular.txt")
_LOOKALIKES = str.maketrans({"0": "o", "1": "l", "i": "l", "5": "s", "3": "e", "4": "a", "7": "t", "2": "z"})
_AFFIXES = re.compile(
    r"^(?:python|py|lib|the|my|new|real|official)-?(.+)$|^(.+?)-?(?:python|py|py3|3|2|lib|sdk|api|official)$"
)


@dataclass(frozen=True)
class Doubt:
    """other: the popular name it could be taken for. days: its age, where that is the doubt."""

    kind: Kind
    other: str = ""
    days: int = 0


class Popular:
    """Names in the order of their downloads."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._rank = {name: rank for rank, name in enumerate(names)}
        self._by_look: dict[str, str] = {}
        self._near: dict[str, list[str]] = {}
        for name in names:
            self._by_look.setdefault(_look(name), name)
            for key in _deletions(name):
                self._near.setdefault(key, []).append(name)

    def __contains__(self, name: str) -> bool:
        return name in self._rank

    def taken_for(self, name: str) -> str:
        """The popular name that `name`, which is none itself, could be a slip or an imitation of; or ""."""
        same_look = self._by_look.get(_look(name))
        if same_look:
            return same_look
        near = {other for key in _deletions(name) for other in self._near.get(key, ())}
        close = [other for other in near if self._counts(name, other) and one_edit(name, other)]
        if close:
            return min(close, key=self._rank.__getitem__)
        match = _AFFIXES.match(name)
        bare = (match[1] or match[2]) if match else ""
        return bare if self._rank.get(bare, _BEST_KNOWN) < _BEST_KNOWN and len(bare) > _SHORT else ""

    def _counts(self, name: str, other: str) -> bool:
        return min(len(name), len(other)) > _SHORT or self._rank[other] < _BEST_KNOWN


@functools.cache
def shipped() -> Popular:
    lines = _LIST.read_text(encoding="ascii").splitlines()
    return Popular(tuple(line for line in lines if line and not line.startswith("#")))


def judge(
    name: str,
    version: Version,
    project: Project | None,
    now: datetime,
    popular: Popular,
    vouched: bool = False,
) -> Doubt | None:
    """What is odd about one package of a lock; None when nothing is. `invented` is refused, the rest asks.

    vouched: see `vouched_for`.
    """
    if project is None or not project.files:
        return Doubt("invented", popular.taken_for(name))
    known = name in popular
    if not known and not vouched and (other := popular.taken_for(name)):
        return Doubt("mistaken", other)
    times = [file.uploaded for file in project.files if file.uploaded is not None]
    ours = [file.uploaded for file in project.files if file.version == version and file.uploaded is not None]
    if not known and times and now - min(times) < NEW_PROJECT:
        return Doubt("new_project", days=(now - min(times)).days)
    if ours and now - min(ours) < NEW_VERSION:
        return Doubt("new_version", days=(now - min(ours)).days)
    if not known and not times:
        return Doubt("unknown_age")
    if not known and len(project.files) <= _FEW and len({file.version for file in project.files}) == 1:
        return Doubt("few_files")
    return None


def vouched_for(needed_by: Mapping[str, Collection[str]], popular: Popular) -> set[str]:
    """Names that popular packages, or what these need in turn, wrote into their requirements: no slip of
    anybody here. needed_by: package -> packages of the same lock that need it; empty where a person named it."""
    trusted: set[str] = {name for name in needed_by if name in popular}
    while more := {
        name for name, by in needed_by.items() if name not in trusted and not trusted.isdisjoint(by)
    }:
        trusted |= more
    return trusted


def one_edit(one: str, other: str) -> bool:
    """Damerau's distance is exactly 1: a letter more, less, changed, or two neighbours swapped."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    a, b = one[start:], other[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[1::-1] == b[:2] and a[2:] == b[2:] and len(a) > 1)


def _deletions(name: str) -> set[str]:
    """Names one edit apart share one of these."""
    return {name} | {name[:at] + name[at + 1 :] for at in range(len(name))}


def _look(name: str) -> str:
    """The same for names that look or sound alike: no separators, digits as the letters they resemble."""
    return name.replace("-", "").translate(_LOOKALIKES).replace("rn", "m").replace("vv", "w")
