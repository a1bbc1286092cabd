"""How many broken outcomes are flagged with the right sentence, and how many healthy runs are flagged at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from services.gateway.model.slack import judge
from shared.agentfile.contract import CheckResult, evaluate
from tests.unit.agentfile.outcomes.agents import AGENTS
from tests.unit.agentfile.outcomes.broken import BROKEN, Broken
from tests.unit.agentfile.outcomes.healthy import day_before
from tests.unit.agentfile.outcomes.measuring import measured

SEED = 7  # a Monday on which every agent has something to report


class Verdict(NamedTuple):
    """sentence: the one that names what broke; None when none did. others: what else was said."""

    name: str
    agent: str
    sentence: str | None
    others: tuple[str, ...]


def judged_broken(folder: Path, seed: int = SEED, cases: Sequence[Broken] = BROKEN) -> list[Verdict]:
    pairs = []
    for case in cases:
        before, run = day_before(case.agent, seed)
        pairs.append((before, case.spoil(run, before)))
    found = []
    for case, facts in zip(cases, measured(folder, pairs), strict=True):
        agent = AGENTS[case.agent]
        broken = [one for one in evaluate(agent.contract, facts, agent.language) if not one.held]
        said = [(one.check, one.sentence) for one in broken]
        if case.receipt is not None and not broken:
            verdict = judge(*case.receipt)
            said = [("receipt", verdict.detail)] if verdict.status == "failed" else []
        kind, *words = case.flagged
        right = [text for check, text in said if check == kind and all(word in text for word in words)]
        others = tuple(text for _, text in said if text not in right[:1])
        found.append(Verdict(case.name, case.agent, right[0] if right else None, others))
    return found


def judged_healthy(
    folder: Path, wanted: Sequence[tuple[str, int]]
) -> list[tuple[str, int, list[CheckResult]]]:
    """(agent, seed, the checks that did not hold) for each run."""
    facts = measured(folder, [day_before(agent, seed) for agent, seed in wanted])
    return [
        (
            name,
            seed,
            [one for one in evaluate(AGENTS[name].contract, seen, AGENTS[name].language) if not one.held],
        )
        for (name, seed), seen in zip(wanted, facts, strict=True)
    ]
