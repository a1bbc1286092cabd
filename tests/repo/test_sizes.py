"""Functions and files stay small enough to be read in one go."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from tests.repo.tree import ROOT, Source, product, python, tracked

FUNCTION_LINES = 60
LONG_FUNCTION_LINES = 40
LONG_SHARE = 0.05
FILE_LINES = 400
TEST_FILE_LINES = 600
TSX_LINES = 250


def functions(sources: Iterable[Source]) -> dict[str, int]:
    """file:line name -> lines, of every function and method."""
    return {
        f"{source.name}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for source in sources
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def too_long_functions(sources: Iterable[Source]) -> list[str]:
    return [name for name, lines in functions(sources).items() if lines > FUNCTION_LINES]


def too_long_files(sources: Iterable[Source]) -> list[str]:
    def limit(source: Source) -> int:
        return TEST_FILE_LINES if source.name.startswith("tests/") else FILE_LINES

    return [f"{source.name} ({source.lines})" for source in sources if source.lines > limit(source)]


def test_no_function_is_longer_than_sixty_lines() -> None:
    assert too_long_functions(python()) == []


def test_at_most_one_function_in_twenty_is_longer_than_forty_lines() -> None:
    lengths = functions(product())
    long = {name: lines for name, lines in lengths.items() if lines > LONG_FUNCTION_LINES}

    assert len(long) <= LONG_SHARE * len(lengths), long


def test_no_python_file_is_too_long() -> None:
    assert too_long_files(python()) == []


def test_no_screen_component_is_too_long() -> None:
    lengths = {
        name: len((ROOT / name).read_text(encoding="utf-8").splitlines())
        for name in tracked()
        if name.endswith(".tsx")
    }

    assert {name: lines for name, lines in lengths.items() if lines > TSX_LINES} == {}


def test_rules_notice_when_a_function_or_file_grows() -> None:
    long = Source("shared/long.py", "def f():\n" + "    pass\n" * 60)

    assert too_long_functions([long]) == ["shared/long.py:1 f"]
    assert too_long_files([Source("shared/long.py", "x = 1\n" * 401)]) == ["shared/long.py (401)"]
    assert too_long_files([Source("tests/long.py", "x = 1\n" * 401)]) == []
