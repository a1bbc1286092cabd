"""Redesigned shops: every right fix is handed over, no wrong one is, and each refusal says why. A sample of the twenty;
`python -m tests.prove.repairs` takes all of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.messages_server import KEY, MessagesServer
from tests.flows.house import SEED, House
from tests.flows.mending import Street
from tests.flows.sites.places import Sites
from tests.flows.sites.readers import WRONG
from tests.flows.sites.redesigns import SHOPS

SAMPLE = random.Random(20_261_126 + SEED).sample(SHOPS, 1)


@pytest.fixture
def sites() -> Iterator[Sites]:
    made = Sites()
    yield made
    made.close()


@pytest.fixture
def street(tmp_path: Path, sites: Sites, claude: MessagesServer) -> Iterator[Street]:
    house = House(tmp_path / "data", open_ports=(sites.port,))
    house.environment |= {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": claude.url}
    yield Street(house.open(), sites, claude)
    house.close()


def test_right_fixes_are_handed_over_and_wrong_ones_are_not(street: Street) -> None:
    for shop in SAMPLE:
        found = street.mend(shop)
        assert found.taken == []
        assert found.unexplained == []
        assert set(found.refused) == set(WRONG)
        assert found.right, found.problem
