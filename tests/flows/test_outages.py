"""A service killed, and an engine of Google's silent for twenty seconds: one seeded moment each; the rest is
`python -m tests.prove.outages`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flows.google_split_house import GoogleSplitHouse
from tests.flows.outages import Outage, engines_of_its_own
from tests.flows.shops import Shops, Sink

SEED = 20261126


@pytest.mark.slow(seconds=150)
@pytest.mark.timeout(420)
@pytest.mark.usefixtures("firestore_emulator", "pubsub_emulator", "storage_emulator")
def test_nothing_is_lost_and_nothing_happens_twice_when_a_service_is_killed_and_an_engine_is_silent(
    tmp_path: Path, shops: Shops, sink: Sink
) -> None:
    engines = tmp_path / "engines"
    engines.mkdir()
    with engines_of_its_own(str(engines)):
        house = GoogleSplitHouse(tmp_path, open_ports=(shops.port, sink.port), seed=SEED, forked=False)
        try:
            house.open()
            Outage("executor", "run", SEED, house, shops, sink).go()
            sink.bodies.clear()
            Outage("pubsub", "rehearsal", SEED, house, shops, sink).go()
        finally:
            house.close()
