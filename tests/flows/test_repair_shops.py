"""Redesigned shops: every right fix is handed over, no wrong one is, and each refusal says why. One of the twenty shops
and some kinds of wrong fixes; `python -m tests.prove.repairs` takes all of both."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.messages_server import KEY, MessagesServer
from tests.flows.house import PROFILE, SEED, new_house
from tests.flows.mending import Street
from tests.flows.sites.places import Sites
from tests.flows.sites.readers import WRONG
from tests.flows.sites.redesigns import SHOPS

_RANDOM = random.Random(20_261_126 + SEED)
SAMPLE = _RANDOM.sample(SHOPS, 1)
# How a fix is judged is the same on the services as deployed, where it takes much longer.
KINDS = _RANDOM.sample(WRONG, 2 if PROFILE else 5)


@pytest.fixture
def sites() -> Iterator[Sites]:
    made = Sites()
    yield made
    made.close()


@pytest.fixture
def street(tmp_path: Path, sites: Sites, claude: MessagesServer) -> Iterator[Street]:
    """Deployed, its agents run in the executor's own sandbox."""
    house = new_house(tmp_path / "data", open_ports=(sites.port,))
    house.environment |= {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": claude.url}
    try:
        yield Street(house.open(), sites, claude)
    finally:
        house.close()


@pytest.mark.deployed
@pytest.mark.slow(seconds=90)
def test_right_fixes_are_handed_over_and_wrong_ones_are_not(street: Street) -> None:
    for shop in SAMPLE:
        found = street.mend(shop, KINDS)
        assert found.taken == []
        assert found.unexplained == []
        assert set(found.refused) == set(KINDS)
        assert found.right, found.problem
