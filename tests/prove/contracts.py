"""Outcome contracts against what broke and against what did not; docs/contracts.md is the result.

`python -m tests.prove.contracts [--healthy 200]`: files are written, measured by the checker's own program, and read
back; no model, no network. Some seconds.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from shared.agentfile.contract import CheckResult
from tests.unit.agentfile.outcomes.agents import AGENTS
from tests.unit.agentfile.outcomes.healthy import seeds
from tests.unit.agentfile.outcomes.judging import SEED, Verdict, judged_broken, judged_healthy

PAGE = Path(__file__).parents[2] / "docs" / "contracts.md"
FLAGGED, FALSE_ALARMS = 0.95, 0.02

Healthy = tuple[str, int, list[CheckResult]]


def page(broken: Sequence[Verdict], healthy: Sequence[Healthy]) -> str:
    """What docs/contracts.md says."""
    flagged = [one for one in broken if one.sentence is not None]
    alarms = [one for one in healthy if one[2]]
    lines = [
        "# Contracts, tried",
        "",
        "Written by `python -m tests.prove.contracts`. Ten agents with contracts as a planner writes them; their files",
        "are made, spoilt, and measured by the checker's own program (`tests/unit/agentfile/outcomes/`). All of it is",
        "generated: it shows what the vocabulary can tell apart, not how often real runs break.",
        "",
        f"- **{len(flagged)} of {len(broken)}** broken outcomes flagged by the check that names what broke.",
        f"- **{len(alarms)} of {len(healthy)}** healthy runs flagged, Sundays and days with nothing new among them.",
        "",
        "| agent | broken | flagged | healthy | false alarms |",
        "|---|---|---|---|---|",
    ]
    for name in AGENTS:
        mine = [one for one in broken if one.agent == name]
        well = [one for one in healthy if one[0] == name]
        told = sum(one.sentence is not None for one in mine)
        lines.append(f"| {name} | {len(mine)} | {told} | {len(well)} | {sum(bool(one[2]) for one in well)} |")
    lines += ["", "## What a person is told", "", "| what broke | the sentence |", "|---|---|"]
    lines += [f"| {one.agent}: {one.name} | {_cell(one.sentence)} |" for one in flagged]
    missed = [one for one in broken if one.sentence is None]
    if missed:
        lines += ["", "## What was not seen", "", *(f"- {one.agent}: {one.name}" for one in missed)]
    if alarms:
        lines += ["", "## False alarms", ""]
        lines += [f"- {name}, day {seed}: {failed[0].sentence}" for name, seed, failed in alarms]
    return "\n".join(lines) + "\n"


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|").replace("\n", " ")


def main(arguments: list[str]) -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--healthy", type=int, default=200, help="how many healthy runs")
    chosen = options.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="ab-contracts-") as place:
        broken = judged_broken(Path(place) / "broken", SEED)
        healthy = judged_healthy(Path(place) / "healthy", seeds(chosen.healthy))
    PAGE.write_text(page(broken, healthy), encoding="utf-8")
    flagged = sum(one.sentence is not None for one in broken)
    alarms = sum(bool(one[2]) for one in healthy)
    print(
        f"{flagged} of {len(broken)} broken outcomes flagged, {alarms} of {len(healthy)} healthy runs flagged"
    )
    return 0 if flagged >= FLAGGED * len(broken) and alarms <= FALSE_ALARMS * len(healthy) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
