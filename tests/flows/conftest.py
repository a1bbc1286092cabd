"""Houses on the real sandbox; shops and a webhook sink per test."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.messages_server import KEY, MessagesServer
from tests.flows.house import PROFILE, CloudRunHouse, GoogleHouse, House, new_house
from tests.flows.shops import Shops, Sink
from tests.flows.split_house import SplitHouse
from tests.google import named

# One flow in so many is run, each time the same ones; 1: all.
ONE_IN = int(os.environ.get("FLOWS_ONE_IN", "1"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if zlib.crc32(item.nodeid.encode()) % ONE_IN]
    if left_out:
        items[:] = [item for item in items if item not in set(left_out)]
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture
def shops() -> Iterator[Shops]:
    made = Shops()
    yield made
    made.close()


@pytest.fixture
def sink() -> Iterator[Sink]:
    made = Sink()
    yield made
    made.close()


@pytest.fixture
def claude() -> Iterator[MessagesServer]:
    with MessagesServer() as server:
        yield server


@pytest.fixture
def talking(tmp_path: Path, shops: Shops, claude: MessagesServer) -> Iterator[House]:
    """Asks the scripted model."""
    made = new_house(tmp_path / "data", open_ports=(shops.port,))
    made.environment |= {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": claude.url}
    try:
        yield made.open()
    finally:
        made.close()


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory, shops: Shops, sink: Sink) -> Iterator[House]:
    """As events come, or doubled and shuffled where FLOWS_SEED says so."""
    made = new_house(tmp_path_factory.mktemp("house"), open_ports=(shops.port, sink.port))
    try:
        yield made.open()
    finally:
        made.close()


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


def _in_order(folder: Path, ports: tuple[int, ...], request: pytest.FixtureRequest) -> House:
    if PROFILE:
        return new_house(folder, open_ports=ports, jobs=True)
    return House(folder, open_ports=ports, disorder=0)


def _disorderly(folder: Path, ports: tuple[int, ...], request: pytest.FixtureRequest) -> House:
    return House(folder, open_ports=ports, disorder=7)


def _split(folder: Path, ports: tuple[int, ...], request: pytest.FixtureRequest) -> House:
    return SplitHouse(folder, open_ports=ports)


def _on_google(folder: Path, ports: tuple[int, ...], request: pytest.FixtureRequest) -> House:
    return GoogleHouse(folder, open_ports=ports, emulators=request.getfixturevalue("emulators"))


def _on_cloud_run(folder: Path, ports: tuple[int, ...], request: pytest.FixtureRequest) -> House:
    return CloudRunHouse(folder, open_ports=ports)


@pytest.fixture(
    params=[
        pytest.param(_in_order, id="in-order"),
        pytest.param(_disorderly, id="doubled-and-shuffled"),
        pytest.param(_split, id="five-processes"),
        pytest.param(_on_google, id="google-emulators"),
        pytest.param(_on_cloud_run, id="cloud-run-jobs"),
    ]
)
def any_house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, shops: Shops, sink: Sink
) -> Iterator[House]:
    """As events come · doubled, late and shuffled · a process per service · Google's bus, store and blobs · each run
    an execution of a job."""
    made: House = request.param(tmp_path_factory.mktemp("house"), (shops.port, sink.port), request)
    try:
        yield made.open()
    finally:
        made.close()
