"""Secrets that code tries to get out, and decoys; a sample of what `python -m tests.prove.exfiltration` runs."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.flows.exfiltrating import Den, Script, scripts
from tests.flows.honest import honest_agent, honest_run

_EACH = 3
_RANDOM = random.Random(20261122)
SAMPLE = [
    script
    for uses in ("decoy", "secret")
    for script in _RANDOM.sample([script for script in scripts() if script.uses == uses], _EACH)
]

pytestmark = pytest.mark.deployed
HONEST = _RANDOM.sample(range(200, 10_000), 20)


@pytest.fixture(scope="module")
def den(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Den]:
    with Den(tmp_path_factory.mktemp("den")) as made:
        yield made


@pytest.mark.parametrize("seeds", [HONEST[:10], HONEST[10:]], ids=["ten", "ten more"])
def test_honest_runs_are_let_be_whatever_they_handle(seeds: list[int], den: Den) -> None:
    """`python -m tests.prove.honesty` does two hundred."""
    person = den.house.person(patience_s=40)
    agent_id = honest_agent(person, den.bound)
    for seed in seeds:
        honest_run(person, agent_id, seed)


@pytest.mark.parametrize("script", SAMPLE, ids=lambda script: script.name)
def test_no_real_value_leaves_but_to_its_host_and_decoys_trip_when_code_tries(
    script: Script, den: Den
) -> None:
    den.check(den.house.person(patience_s=40), script)
