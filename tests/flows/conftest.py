"""One house per file, on the real sandbox; shops and a webhook sink per test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.flows.house import House
from tests.flows.shops import Shops, Sink


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
def house(tmp_path_factory: pytest.TempPathFactory, shops: Shops, sink: Sink) -> Iterator[House]:
    """In order, nothing doubled."""
    made = House(tmp_path_factory.mktemp("house"), open_ports=(shops.port, sink.port)).open()
    yield made
    made.close()


@pytest.fixture(params=[pytest.param(0, id="in-order"), pytest.param(7, id="doubled-and-shuffled")])
def any_house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, shops: Shops, sink: Sink
) -> Iterator[House]:
    """Once as events come, once doubled, late and shuffled: what holds must hold in both."""
    folder = tmp_path_factory.mktemp("house")
    made = House(folder, open_ports=(shops.port, sink.port), disorder=request.param).open()
    yield made
    made.close()
