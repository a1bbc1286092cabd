"""Secrets that code tries to get out, and decoys; a sample of what `python -m tests.prove.exfiltration` runs."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.flows.exfiltrating import Den, Script, scripts

_EACH = 3
_RANDOM = random.Random(20261122)
SAMPLE = [
    script
    for uses in ("decoy", "secret")
    for script in _RANDOM.sample([script for script in scripts() if script.uses == uses], _EACH)
]


@pytest.fixture(scope="module")
def den(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Den]:
    with Den(tmp_path_factory.mktemp("den")) as made:
        yield made


@pytest.mark.parametrize("script", SAMPLE, ids=lambda script: script.name)
def test_no_real_value_leaves_but_to_its_host_and_decoys_trip_when_code_tries(
    script: Script, den: Den
) -> None:
    den.check(den.house.person(patience_s=40), script)
