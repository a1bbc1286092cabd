"""Disorder doubles, delays and shuffles, loses nothing, and does the same again for the same seed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from shared.bus.disorder import Disorder
from shared.bus.sqlite import SqliteBus
from shared.clock import SystemClock
from shared.events.envelope import Envelope
from shared.ids import RandomIds
from tests.contract.receiving import Recorder, event

seeds = st.integers(0, 2**32)
events = st.integers(0, 30).map(lambda count: [event(n) for n in range(count)])


@given(seeds, events)
def test_every_event_is_delivered_once_or_twice(seed: int, envelopes: list[Envelope]) -> None:
    arranged = Counter(envelope.id for envelope, _ in Disorder(seed).arrange(envelopes))
    assert set(arranged) == {envelope.id for envelope in envelopes}
    assert set(arranged.values()) <= {1, 2}


@given(seeds, events, st.floats(0.01, 5))
def test_no_event_is_held_back_longer_than_said(seed: int, envelopes: list[Envelope], longest: float) -> None:
    delays = [delay for _, delay in Disorder(seed, max_delay_s=longest).arrange(envelopes)]
    assert all(0 <= delay <= longest for delay in delays)


@given(seeds, events)
def test_the_same_seed_decides_the_same(seed: int, envelopes: list[Envelope]) -> None:
    one, other = Disorder(seed), Disorder(seed)
    for _ in range(3):
        assert one.arrange(envelopes) == other.arrange(envelopes)


@given(seeds)
def test_a_long_series_is_doubled_delayed_and_shuffled_by_every_seed(seed: int) -> None:
    envelopes = [event(n) for n in range(60)]
    arranged = Disorder(seed).arrange(envelopes)
    assert len(arranged) > len(envelopes)
    assert {delay > 0 for _, delay in arranged} == {True, False}
    assert list(dict.fromkeys(envelope.id for envelope, _ in arranged)) != [e.id for e in envelopes]


@given(seeds, events)
def test_nothing_is_disturbed_when_nothing_is_to_be_doubled_or_late(
    seed: int, envelopes: list[Envelope]
) -> None:
    arranged = Disorder(seed, doubled=0, late=0).arrange(envelopes)
    assert Counter(e.id for e, _ in arranged) == Counter(e.id for e in envelopes)
    assert all(delay == 0 for _, delay in arranged)


def test_the_embedded_bus_delivers_everything_and_some_of_it_twice_when_disorderly(tmp_path: Path) -> None:
    bus = SqliteBus(tmp_path / "bus.db", SystemClock(), RandomIds(), disorder=Disorder(7, max_delay_s=0.02))
    receiver = Recorder()
    bus.subscribe("ledger", ["run"], receiver)
    bus.start()
    envelopes = [event(n) for n in range(60)]
    bus.publish(envelopes)
    assert receiver.got(envelopes)
    bus.stop()
    counts = receiver.counts()
    assert max(counts.values()) == 2
    assert list(dict.fromkeys(e.id for e in receiver.arrived)) != [e.id for e in envelopes]
