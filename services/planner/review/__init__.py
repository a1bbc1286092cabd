"""What an agent's code can reach, seen without a model and without running it, held against its plan."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from shared.agentfile.model import AgentFile, Language


@dataclass(frozen=True)
class Finding:
    """One capability the code has, or may have (`certain` False: cannot tell). what: "" when it cannot be told."""

    kind: Literal[
        "host", "secret", "file", "subprocess", "dynamic_code", "mail", "socket", "native", "state", "channel",
        "model", "package",
    ]  # fmt: skip
    what: str
    file: str
    line: int
    certain: bool


@dataclass(frozen=True)
class Review:
    """differences, doubts: sentences for a person. refusals: it may not run. for_model: all of it in English, ""
    when nothing is wrong."""

    capabilities: tuple[Finding, ...]
    differences: tuple[str, ...]
    doubts: tuple[str, ...]
    refusals: tuple[str, ...]
    for_model: str


def review(
    files: Mapping[str, bytes],
    agent_file: AgentFile,
    packages: Collection[str] = (),
    language: Language = "ko",
) -> Review:
    """Pure; nothing of it is executed. Never raises for what the files hold."""
    refusals = []
    for name, data in sorted(files.items()):
        if name.endswith(".py"):
            try:
                ast.parse(data)
            except (SyntaxError, ValueError, RecursionError) as error:
                line = getattr(error, "lineno", 0) or 0
                refusals.append(f"{name}:{line}: the code does not parse.")
    return Review((), (), (), tuple(refusals), "\n".join(refusals))
