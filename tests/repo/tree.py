"""The files the house rules look at: what git tracks or would track, parsed once."""

from __future__ import annotations

import ast
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("gateway", "planner", "executor", "scheduler", "ledger")


@dataclass(frozen=True)
class Source:
    """One Python file; `name` is its path from the root, with forward slashes."""

    name: str
    text: str

    @property
    def tree(self) -> ast.Module:
        return _parsed(self.text)

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())

    def imports(self) -> set[str]:
        """Full dotted names; `from a import b` gives a and a.b."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        return found


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


@cache
def tracked() -> tuple[str, ...]:
    """Also files not committed yet, so that a rule speaks before the commit; never ignored ones."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return tuple(sorted(name for name in set(listing.split("\0")) if name and (ROOT / name).is_file()))


@cache
def python() -> tuple[Source, ...]:
    return tuple(
        Source(name, (ROOT / name).read_text(encoding="utf-8")) for name in tracked() if name.endswith(".py")
    )


def product() -> tuple[Source, ...]:
    return tuple(source for source in python() if not source.name.startswith("tests/"))


def under(*folders: str) -> tuple[Source, ...]:
    return tuple(source for source in python() if source.name.startswith(tuple(f"{one}/" for one in folders)))
