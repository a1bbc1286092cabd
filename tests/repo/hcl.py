"""The little of terraform's language that its test needs: where a block is, and what one line in it says."""

from __future__ import annotations

import re


def block(text: str, header: str) -> str:
    """What stands between the braces after `header`; KeyError when there is no such block."""
    start = text.find(f"{header} {{")
    if start < 0:
        raise KeyError(header)
    begin = text.index("{", start) + 1
    depth = 1
    for at in range(begin, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return text[begin:at]
    raise KeyError(f"{header} is not closed")


def value(text: str, name: str) -> str:
    """The right side of `name = …` on one line."""
    found = re.search(rf"^\s*\"?{re.escape(name)}\"?\s*=\s*(.+?)\s*$", text, re.MULTILINE)
    if found is None:
        raise KeyError(name)
    return found[1]


def words(text: str) -> set[str]:
    """The quoted words of a list."""
    return set(re.findall(r'"([^"]*)"', text))


def names(text: str) -> set[str]:
    """What stands on the left of `=` at the text's own level, without quotes."""
    found, depth = set(), 0
    for line in text.splitlines():
        match = re.match(r'\s*"?([\w.-]+)"?\s*=', line)
        if depth == 0 and match:
            found.add(match[1])
        depth += line.count("{") + line.count("(") + line.count("[")
        depth -= line.count("}") + line.count(")") + line.count("]")
    return found
