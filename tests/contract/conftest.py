"""One fixture per port, parametrised over its adapters; every test gets data of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.bus.port import Bus
from shared.clock import Clock, SystemClock
from shared.ids import RandomIds
from shared.store.port import Databases
from tests.contract import adapters
from tests.contract.adapters import EMBEDDED, GOOGLE, RETRY_S, SERVICES, TOPICS, BlobsKind, BusKind, StoreKind
from tests.docker_daemon import daemon as docker_daemon_of_tests
from tests.google import named

BOTH = [EMBEDDED, GOOGLE]


@pytest.fixture(scope="session")
def firestore_here(firestore_emulator: str) -> Iterator[None]:
    with named(FIRESTORE_EMULATOR_HOST=firestore_emulator):
        yield


@pytest.fixture(scope="session")
def pubsub_here(pubsub_emulator: str) -> Iterator[None]:
    with named(PUBSUB_EMULATOR_HOST=pubsub_emulator):
        yield


@pytest.fixture(scope="session")
def storage_here(storage_emulator: str) -> Iterator[None]:
    with named(STORAGE_EMULATOR_HOST=storage_emulator):
        yield


@pytest.fixture(scope="session")
def docker_daemon() -> Iterator[str]:
    with docker_daemon_of_tests() as address:
        yield address


def _own_name() -> str:
    return "t" + RandomIds().new("t")[2:26]


@pytest.fixture(params=BOTH)
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreKind]:
    place = str(tmp_path)
    if request.param == GOOGLE:
        request.getfixturevalue("firestore_here")
        place = _own_name()
    opened: list[Any] = []

    def open_one(clock: Clock) -> Databases:
        opened.append(adapters.databases(request.param, place, clock))
        databases: Databases = opened[-1]
        return databases

    yield StoreKind(request.param, open_one, place)
    for databases in opened:
        databases.close()


@pytest.fixture
def databases(stores: StoreKind) -> Databases:
    return stores.open(SystemClock())


@pytest.fixture(params=BOTH)
def buses(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BusKind]:
    place = _own_name()
    if request.param == GOOGLE:
        request.getfixturevalue("pubsub_here")
        from shared.bus.pubsub import provision

        provision(place, TOPICS, dict.fromkeys(SERVICES, ("clock", "run")), retry_s=RETRY_S)
    opened: list[Bus] = []

    def open_one(clock: Clock) -> Bus:
        opened.append(adapters.bus(request.param, place, tmp_path, clock))
        return opened[-1]

    yield BusKind(request.param, open_one)
    for bus in opened:
        bus.stop()


@pytest.fixture(params=BOTH)
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobsKind:
    place = str(tmp_path / "blobs")
    if request.param == GOOGLE:
        request.getfixturevalue("storage_here")
        place = _own_name()
    return BlobsKind(request.param, lambda: adapters.blobs(request.param, place))
