"""The table of tiers: what each one runs, what it needs, and why it may have to be left out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.layout import ROOT, VENV, WEB, WEB_VENV

PYTHON = VENV / "bin" / "python"
_HOUSES = "in-order or doubled-and-shuffled or five-processes or google or cloud-run"
# What names its own house is the same whatever FLOWS_SEED says.
OF_NO_HOUSE = f"not ({_HOUSES} or outages)"
DEPLOYED = ("FLOWS_HOUSE=deployed", "FLOWS_SEED=11")
ONLY_DEPLOYED = ("-m", "deployed", "-k", f"not ({_HOUSES.replace('in-order or ', '')})")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other: Counts) -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


@dataclass(frozen=True)
class Step:
    """`{report}` in a command stands for the JUnit file it writes; `counted`: its tests count one by one."""

    name: str
    command: Sequence[str | Path]
    cwd: Path = ROOT
    counted: bool = False


def _nothing_missing() -> str:
    return ""


@dataclass(frozen=True)
class Tier:
    name: str
    says: str
    steps: Callable[[], list[Step]]
    weight: int = 0
    """Heavier tiers start first: the longer one takes, the earlier, so that no long one ends alone. `page` is among the
    first since others need what it builds."""
    needs_node: bool = False
    needs_page: bool = False
    missing: Callable[[], str] = _nothing_missing
    """Why the tier cannot run here and how to change that; empty when it can."""


def _tool(name: str, *arguments: str) -> Callable[[], list[Step]]:
    return lambda: [Step(name, [VENV / "bin" / name, *arguments])]


def _types() -> list[Step]:
    """Code that only sandboxes run imports from its own folder, so mypy starts there for it."""
    mypy = VENV / "bin" / "mypy"
    steps = [Step("mypy", [mypy, "--strict"])]
    for recipe in sorted((ROOT / "services" / "planner" / "recipes").glob("*/main.py")):
        command: list[str | Path] = [
            mypy,
            "--strict",
            "--config-file",
            ROOT / "pyproject.toml",
            "--exclude",
            "^$",
            ".",
        ]
        steps.append(Step(f"mypy-{recipe.parent.name}", command, recipe.parent))
    return steps


def _pytest(*folders: str, share: str = "loadfile") -> Callable[[], list[Step]]:
    """share: how workers divide the tests; `loadfile` keeps a file together, and what it has set up once."""

    def steps() -> list[Step]:
        there = [folder for folder in folders if (ROOT / folder).is_dir()]
        spread = ["-n", "2", "--dist", share]
        command: list[str | Path] = [PYTHON, "-m", "pytest", "-q", "--junitxml={report}", *spread, *there]
        return [Step("pytest", command, counted=True)]

    return steps


def _flows(
    variables: Sequence[str], chosen: Sequence[str] = (), share: str = "loadfile"
) -> Callable[[], list[Step]]:
    """Which flows run how, and why: docs/decisions/0051-flows-run-once.md. All of those of which a tier runs one in so
    many: `make prove`."""

    def steps() -> list[Step]:
        (every,) = _pytest("tests/flows", share=share)()
        return [Step("pytest", ["env", *variables, *every.command, *chosen], counted=True)]

    return steps


def _no_folder(*folders: str) -> Callable[[], str]:
    return lambda: "" if any((ROOT / folder).is_dir() for folder in folders) else "it holds no test yet"


def _page_steps() -> list[Step]:
    """Lint, types and tests as web/package.json names them."""
    scripts = json.loads((WEB / "package.json").read_text(encoding="utf-8")).get("scripts", {})
    pnpm = WEB_VENV / "pnpm" / "node_modules" / ".bin" / "pnpm"
    steps = [Step("install", [pnpm, "install", "--frozen-lockfile"], WEB)]
    steps += [Step(name, [pnpm, "run", name], WEB) for name in ("lint", "types") if name in scripts]
    reporters = ["--reporter=default", "--reporter=junit", "--outputFile.junit={report}"]
    steps.append(Step("vitest", [pnpm, "exec", "vitest", "run", *reporters], WEB, counted=True))
    return steps


def _no_page() -> str:
    return "" if (WEB / "package.json").exists() else "there is no page yet"


def _no_browser() -> str:
    if not (ROOT / "tests" / "e2e").is_dir():
        return "it holds no test yet"
    if any(shutil.which(name) for name in BROWSERS):
        return _no_page()
    return "no Chromium was found: sudo apt-get install chromium fonts-noto-cjk"


_LIST = (
    Tier("format", "sources are formatted", _tool("ruff", "format", "--check", ".")),
    Tier("lint", "ruff's rules", _tool("ruff", "check", ".")),
    Tier("types", "mypy --strict", _types, weight=4),
    Tier("imports", "who may import whom", _tool("lint-imports"), weight=1),
    Tier(
        "unit",
        "models, handlers, wire formats, house rules",
        _pytest("tests/unit", "tests/events", "tests/records", "tests/repo"),
        weight=8,
        missing=_no_folder("tests/unit", "tests/events", "tests/records", "tests/repo"),
    ),
    Tier(
        "contract",
        "every port on every adapter",
        _pytest("tests/contract"),
        weight=9,
        missing=_no_folder("tests/contract"),
    ),
    Tier(
        "flows",
        "whole ways through the five services, each event twice, late and in another order",
        _flows(["FLOWS_SEED=11"], share="worksteal"),  # few long tests: one file holds most of the time
        weight=10,
        missing=_no_folder("tests/flows"),
    ),
    Tier(
        "in-order",
        "one flow in six, as events come",
        _flows(["FLOWS_ONE_IN=6"], ["-k", OF_NO_HOUSE]),
        weight=5,
        missing=_no_folder("tests/flows"),
    ),
    Tier(
        "deployed",
        "one flow in six, on the services as they are on Google Cloud",
        _flows([*DEPLOYED, "FLOWS_ONE_IN=6"], ONLY_DEPLOYED),
        weight=7,
        missing=_no_folder("tests/flows"),
    ),
    Tier(
        "page",
        "the page: build, lint, types, tests",
        _page_steps,
        weight=10,
        needs_node=True,
        needs_page=True,
        missing=_no_page,
    ),
    Tier(
        "e2e",
        "a person in Chromium",
        _pytest("tests/e2e"),
        weight=6,
        needs_node=True,
        needs_page=True,
        missing=_no_browser,
    ),
    Tier(
        "docs",
        "generated pages are current",
        lambda: [Step("docs", [PYTHON, "-m", "scripts.docs", "--check"])],
        weight=1,
    ),
)
TIERS = {tier.name: tier for tier in _LIST}
