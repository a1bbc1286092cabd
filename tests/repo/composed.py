"""The little of compose.yaml's language that its tests need: what stands below each service, and what it is told."""

from __future__ import annotations

import re

from tests.repo.tree import ROOT

COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")
_COMMON = "x-environment: &environment\n"


def services(compose: str = COMPOSE) -> dict[str, str]:
    """What stands below each name."""
    parts = re.split(r"^  ([a-z-]+):$", compose.split("\nservices:\n")[1], flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def told(name: str, compose: str = COMPOSE) -> dict[str, str]:
    """What all are told, and what this one is besides. KeyError where the first does not reach it."""
    own = services(compose)[name]
    if not re.search(r"^    environment:(\n      <<:)? \*environment$", own, re.MULTILINE):
        raise KeyError(name)
    common = compose.split(_COMMON)[1].split("\n\n", maxsplit=1)[0]
    return dict(_variables(common, 2) + _variables(own, 6))


def _variables(text: str, indent: int) -> list[tuple[str, str]]:
    """Without the quotes around them; of what compose takes from its own environment, what it takes where that is
    silent."""
    found = re.findall(rf"^ {{{indent}}}([A-Z][A-Z_]+): (.*)$", text, re.MULTILINE)
    return [(name, re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", said.strip('"'))) for name, said in found]
