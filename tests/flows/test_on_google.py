"""The sentence once more with Firestore, Pub/Sub and Cloud Storage under all five services (emulators).

The sandbox stays this machine's. What these flows show beyond the contract suites: the services meet no
surprise in real order, real redelivery and real latency.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.ids import RandomIds
from tests.flows.house import House
from tests.flows.shops import Shops, Sink
from tests.flows.test_sentence import (
    test_the_next_day_reports_only_what_is_new_and_an_empty_day_says_so,
    test_the_rehearsal_shows_the_exact_message_and_sends_nothing,
)
from tests.google import named

__all__ = [
    "test_the_next_day_reports_only_what_is_new_and_an_empty_day_says_so",
    "test_the_rehearsal_shows_the_exact_message_and_sends_nothing",
]


class GoogleHouse(House):
    def __init__(self, folder: Path, open_ports: tuple[int, ...], emulators: dict[str, str]) -> None:
        super().__init__(folder, open_ports=open_ports)
        own_project = "t" + RandomIds().new("t")[2:]
        self._environment |= {"AB_PROFILE": "gcp", "AB_GCP_PROJECT": own_project, **emulators}


@pytest.fixture
def emulators(
    firestore_emulator: str, pubsub_emulator: str, storage_emulator: str
) -> Iterator[dict[str, str]]:
    variables = {
        "FIRESTORE_EMULATOR_HOST": firestore_emulator,
        "PUBSUB_EMULATOR_HOST": pubsub_emulator,
        "STORAGE_EMULATOR_HOST": storage_emulator,
    }
    with named(**variables):
        yield variables


@pytest.fixture
def house(
    tmp_path_factory: pytest.TempPathFactory, shops: Shops, sink: Sink, emulators: dict[str, str]
) -> Iterator[House]:
    made = GoogleHouse(tmp_path_factory.mktemp("house"), (shops.port, sink.port), emulators).open()
    yield made
    made.close()


@pytest.fixture
def any_house(house: House) -> House:
    return house
