"""Contracts as planners write them, against files as agents leave them: what broke is named, the rest is let be."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.agentfile.contract import is_vacuous
from shared.agentfile.contract_rules import contract_problems
from shared.agentfile.model import AgentFile, AgentMeta
from shared.agentfile.toml import dump, parse
from tests.prove import contracts as proof
from tests.unit.agentfile.outcomes.agents import AGENTS
from tests.unit.agentfile.outcomes.broken import BROKEN
from tests.unit.agentfile.outcomes.healthy import seeds
from tests.unit.agentfile.outcomes.judging import SEED, Verdict, judged_broken, judged_healthy

# One value that moves within its bounds while the middle of all stays: a column's middle is all that is remembered.
KNOWN_MISSES = {"yen by the hundred"}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    return {one.name: one for one in judged_broken(tmp_path_factory.mktemp("broken"))}


@pytest.mark.parametrize("name", AGENTS)
def test_each_contract_can_be_evaluated_proves_something_and_is_written_down(name: str) -> None:
    agent = AGENTS[name]
    assert list(contract_problems(agent.contract)) == []
    assert is_vacuous(agent.contract, reads_sources=True, expects_news=agent.news, own_words=[name]) is None
    file = AgentFile(agent=AgentMeta(name=name), contract=agent.contract)
    assert parse(dump(file)) == file


@pytest.mark.parametrize("name", [case.name for case in BROKEN])
def test_a_broken_outcome_is_flagged_by_the_check_that_names_it(
    name: str, verdicts: dict[str, Verdict]
) -> None:
    verdict = verdicts[name]
    assert (verdict.sentence is None) == (name in KNOWN_MISSES), verdict.others


def test_at_least_nineteen_of_twenty_broken_outcomes_are_flagged(verdicts: dict[str, Verdict]) -> None:
    assert len(verdicts) == len(BROKEN) >= 40
    assert sum(one.sentence is not None for one in verdicts.values()) >= 0.95 * len(BROKEN)


def test_the_runs_that_were_spoilt_were_well_before(tmp_path: Path) -> None:
    assert [one for one in judged_healthy(tmp_path, [(name, SEED) for name in AGENTS]) if one[2]] == []


def test_healthy_runs_are_let_be_on_weekdays_and_sundays(tmp_path: Path) -> None:
    judged = judged_healthy(tmp_path, seeds(80))
    assert len({seed % 7 for _, seed, _ in judged}) == 7
    assert sum(bool(broken) for _, _, broken in judged) <= 0.02 * len(judged), judged


def test_the_page_about_it_says_what_is_said_today(verdicts: dict[str, Verdict]) -> None:
    told = proof.PAGE.read_text(encoding="utf-8")
    rows = [line for line in proof.page(list(verdicts.values()), []).splitlines() if line.count("|") == 3]
    assert len(rows) > 40
    assert [row for row in rows if row not in told] == []
