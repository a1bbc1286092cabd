"""Names, imports and calls that appear nowhere, or in one place only."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from tests.repo.tree import ROOT, SERVICES, Source, python, tracked, under

FORBIDDEN_MODULES = {"utils", "util", "helpers", "common", "misc", "base", "core", "manager", "types"}
READS_TIME_OR_CHANCE = {
    "time.sleep",
    "time.time",
    "datetime.now",
    "datetime.utcnow",
    "uuid.uuid4",
    "uuid4",
    "date.today",
}
MAY_READ_TIME_OR_CHANCE = {
    "shared/clock.py": "the system clock itself",
    "shared/ids.py": "the source of ids",
}
MAY_READ_ENVIRONMENT = {
    "shared/runtime/settings.py": "the one reader of settings",
    "services/executor/launcher/": "a process of its own, started with a prepared environment",
    "services/executor/runner/": "runs inside the sandbox, before any of our packages",
    "services/planner/review/": "names what agents' code may read, as text; reads nothing itself",
    "services/planner/recipes/look/": "runs inside a sandbox",
    "services/planner/recipes/read/": "runs inside a sandbox",
    "services/planner/recipes/watch/": "agent code: runs inside a sandbox",
    "sdk/": "agents import it; the sandbox speaks to it through its environment",
    "scripts/": "runs before any package is installed",
    "tests/": "tests look for CI and for emulators",
}


def forbidden_names(names: Iterable[str]) -> list[str]:
    def parts(name: str) -> set[str]:
        path = PurePosixPath(name)
        return {*path.parts[:-1], path.stem}

    return [name for name in names if name.endswith(".py") and parts(name) & FORBIDDEN_MODULES]


def mock_imports(sources: Iterable[Source]) -> list[str]:
    return [
        source.name
        for source in sources
        if any(name.split(".")[0] == "mock" or name.startswith("unittest.mock") for name in source.imports())
    ]


def patched_tests(sources: Iterable[Source]) -> list[str]:
    """Tests that take pytest's monkeypatch; what needs replacing gets a port instead."""
    return [
        f"{source.name}:{node.lineno}"
        for source in sources
        for node in ast.walk(source.tree)
        if isinstance(node, ast.arg) and node.arg in ("monkeypatch", "mocker")
    ]


def calls(source: Source) -> Iterable[tuple[int, str]]:
    """Line and last two parts of every call's name: `datetime.datetime.now()` is datetime.now."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func) if isinstance(node.func, ast.Name | ast.Attribute) else ""
            yield node.lineno, ".".join(name.split(".")[-2:])


def hidden_time_or_chance(sources: Iterable[Source]) -> list[str]:
    return [
        f"{source.name}:{line} {name}"
        for source in sources
        if not source.name.startswith(tuple(MAY_READ_TIME_OR_CHANCE))
        for line, name in calls(source)
        if name in READS_TIME_OR_CHANCE
    ]


def environment_readers(sources: Iterable[Source]) -> list[str]:
    found = []
    for source in sources:
        if source.name.startswith(tuple(MAY_READ_ENVIRONMENT)):
            continue
        if re.search(r"\bos\.(environ|getenv|putenv)\b|from os import .*\b(environ|getenv)\b", source.text):
            found.append(source.name)
    return found


def without_docstring(sources: Iterable[Source]) -> list[str]:
    """Modules without one, or with a longer one than five lines (empty package markers may be bare)."""
    found = []
    for source in sources:
        text = ast.get_docstring(source.tree)
        empty = source.name.endswith("__init__.py") and not source.text.strip()
        if not empty and (text is None or len(text.splitlines()) > MAY_EXPLAIN_MORE.get(source.name, 5)):
            found.append(source.name)
    return found


# File -> lines: the error tree is drawn in its docstring, authors of agents read the library's, and a service
# lists what it owns, takes and emits.
MAY_EXPLAIN_MORE = {"shared/errors.py": 25, "sdk/agent/__init__.py": 25} | {
    f"services/{name}/__init__.py": 10 for name in SERVICES
}


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert forbidden_names(tracked()) == []


def test_nothing_is_mocked_or_patched() -> None:
    assert mock_imports(python()) == []
    assert patched_tests(under("tests")) == []


def test_time_ids_and_chance_come_from_one_place() -> None:
    assert hidden_time_or_chance(under("shared", "services")) == []


def test_settings_are_the_only_reader_of_the_environment() -> None:
    assert environment_readers(python()) == []


def test_every_module_says_in_five_lines_what_it_is() -> None:
    assert without_docstring(python()) == []


def test_exceptions_of_these_rules_are_still_needed() -> None:
    for place in (*MAY_READ_TIME_OR_CHANCE, "shared/runtime/settings.py"):
        assert (ROOT / place).exists(), place


def test_rules_notice_when_they_are_broken() -> None:
    bad = Source(
        "services/x/handlers.py",
        "import os\nfrom unittest import mock\nimport datetime, time\n"
        "def test_x(monkeypatch): pass\n"
        "print(datetime.datetime.now(), os.environ['A'])\ntime.sleep(1)\n",
    )

    assert forbidden_names(["shared/utils/a.py", "shared/core.py", "shared/port.py"]) == [
        "shared/utils/a.py",
        "shared/core.py",
    ]
    assert mock_imports([bad]) == [bad.name]
    assert len(patched_tests([bad])) == 1
    assert len(hidden_time_or_chance([bad])) == 2
    assert environment_readers([bad]) == [bad.name]
    assert without_docstring([bad]) == [bad.name]
    assert environment_readers([Source("scripts/x.py", "import os\nos.environ")]) == []
