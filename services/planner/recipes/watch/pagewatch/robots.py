"""robots.txt as RFC 9309 reads it: the group for our name or `*`, the longest matching rule wins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

ROBOT = "PageWatch"
MAX_CHARS = 512_000  # RFC 9309 section 2.5: at least 500 KiB must be read
MAX_RULES = 2_000


@dataclass(frozen=True)
class Robots:
    """Rules as (path pattern, allowed), for our robot only. Empty: everything is allowed."""

    rules: tuple[tuple[str, bool], ...] = ()

    def allows(self, path: str) -> bool:
        """`path` with its query. Of equally long rules the one that allows wins (RFC 9309, 2.2.2)."""
        matching = [(len(pattern), allowed) for pattern, allowed in self.rules if _matches(pattern, path)]
        return max(matching)[1] if matching else True


def read_robots(text: str, robot: str = ROBOT) -> Robots:
    """Groups that name `robot` count; when none does, the `*` groups."""
    ours: list[tuple[str, bool]] = []
    everyones: list[tuple[str, bool]] = []
    named_us = False
    agents: list[str] = []
    in_rules = False
    for line in text[:MAX_CHARS].splitlines():
        field, _, value = line.partition("#")[0].partition(":")
        field, value = field.strip().lower(), value.strip()
        if field == "user-agent":
            agents = [*([] if in_rules else agents), value.lower()]
            in_rules = False
            named_us = named_us or robot.lower() in agents
        elif field in ("allow", "disallow"):
            in_rules = True
            if value and robot.lower() in agents:
                ours.append((value, field == "allow"))
            elif value and "*" in agents:
                everyones.append((value, field == "allow"))
    return Robots(tuple((ours if named_us else everyones)[:MAX_RULES]))


def _matches(pattern: str, path: str) -> bool:
    """`*` is any run of characters, a final `$` the end; otherwise a prefix."""
    pattern, path = unquote(pattern), unquote(path)
    end = pattern.endswith("$")
    pieces = re.sub(r"\*+", "*", pattern[:-1] if end else pattern).split("*")
    if not path.startswith(pieces[0]):
        return False
    at = len(pieces[0])
    for index, piece in enumerate(pieces[1:], start=1):
        last = index == len(pieces) - 1
        if end and last:
            return path.endswith(piece) and len(path) - len(piece) >= at
        found = path.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return not end or at == len(path)
