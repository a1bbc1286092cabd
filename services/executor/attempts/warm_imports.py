"""Which modules a version's code will import first, read from its text. Never runs or imports any of it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from services.executor.ports import Preload

_MOST = 50
_MAX_BYTES = 256 << 10
# Importing them does something: opens a page, prints a poem, wants a display.
_NOT_AHEAD = frozenset({"antigravity", "this", "idlelib", "tkinter", "turtle", "turtledemo", "__main__"})


def preload(code: Path, entry: str, site_dirs: Sequence[Path]) -> Preload:
    """What `entry` and the code's own modules it imports name at their top level, as far as it comes from
    `site_dirs` or the standard library; in the order written, at most 50.

    Empty when a module of the code hides one of those, or cannot be read: what would be imported ahead
    could be another module than the run's.
    """
    own = {
        path.stem if path.is_file() else path.name for path in code.iterdir() if path.suffix in ("", ".py")
    }
    own.discard(Path(entry).stem)
    theirs = {path.name.partition(".")[0] for folder in site_dirs for path in folder.iterdir()}
    if own & (theirs | sys.stdlib_module_names):
        return ()
    known = (theirs | sys.stdlib_module_names) - _NOT_AHEAD
    found: dict[str, set[str]] = {}
    waiting, seen = [code / entry], set[Path]()
    while waiting:
        file = waiting.pop(0)
        if file in seen:
            continue
        seen.add(file)
        for name, parts in _imports(file):
            top = name.partition(".")[0]
            if top in known:
                found.setdefault(name, set()).update(parts)
            elif top in own:
                waiting += [path for path in _files(code, name) if path.is_file()]
    return tuple((name, tuple(sorted(parts))) for name, parts in list(found.items())[:_MOST])


def _files(code: Path, module: str) -> tuple[Path, Path]:
    path = code.joinpath(*module.split("."))
    return path.with_suffix(".py"), path / "__init__.py"


def _imports(file: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(module, names asked of it) of a file's top level, also inside try and with (what stands under an if may
    never be imported); nothing of a file that does not parse."""
    try:
        if file.stat().st_size > _MAX_BYTES:
            return
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for statement in _top_level(tree.body):
        if isinstance(statement, ast.Import):
            yield from ((alias.name, ()) for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
            yield statement.module, tuple(alias.name for alias in statement.names if alias.name != "*")


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        yield statement
        if isinstance(statement, ast.Try):
            for part in (statement.body, statement.orelse, statement.finalbody):
                yield from _top_level(part)
        elif isinstance(statement, ast.With):
            yield from _top_level(statement.body)
