"""The bus where all services are one process: events are handed on as they are, and the log still has them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.bus.port import Received
from shared.bus.sqlite import SqliteBus
from shared.clock import SystemClock
from shared.errors import Unavailable
from shared.events.envelope import Envelope
from shared.ids import RandomIds
from tests.contract.receiving import ACK, Recorder, event

FAR = 1500  # more than a consumer keeps in memory


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[], SqliteBus]]:
    buses: list[SqliteBus] = []

    def open_one() -> SqliteBus:
        buses.append(SqliteBus(tmp_path / "bus.db", SystemClock(), RandomIds()))
        return buses[-1]

    yield open_one
    for bus in buses:
        bus.stop()


def test_events_arrive_once_and_in_order_when_the_receiver_keeps_up(opened: Callable[[], SqliteBus]) -> None:
    bus, ledger, gateway = opened(), Recorder(), Recorder()
    bus.subscribe("ledger", ["run"], ledger)
    bus.subscribe("gateway", ["clock"], gateway)
    early = [event(n) for n in range(3)]
    bus.publish(early)
    bus.start()
    assert ledger.got(early)
    later = [event(n) for n in range(3, 200)]
    for envelope in later:
        bus.publish([envelope])
    assert ledger.got(later)
    assert ledger.arrived == early + later
    assert gateway.arrived == []


def test_events_arrive_once_and_in_order_when_the_receiver_falls_far_behind(
    opened: Callable[[], SqliteBus],
) -> None:
    bus, entered, leave = opened(), threading.Event(), threading.Event()

    def hold(envelope: Envelope, nth: int) -> Received:
        entered.set()
        leave.wait(60)
        return ACK

    slow, quick = Recorder(hold), Recorder()
    bus.subscribe("ledger", ["run"], slow)
    bus.subscribe("gateway", ["run"], quick)
    bus.start()
    first = event(0)
    bus.publish([first])
    assert entered.wait(30)
    many = [event(n) for n in range(FAR)]
    for start in range(0, FAR, 50):
        bus.publish(many[start : start + 50])
    assert quick.got([first, *many])
    leave.set()
    assert slow.got([first, *many])
    last = event(FAR)
    bus.publish([last])
    assert slow.got([last])
    assert quick.got([last])
    assert slow.arrived == quick.arrived == [first, *many, last]


def test_what_was_handed_over_and_not_received_comes_from_the_log_in_the_next_process(
    opened: Callable[[], SqliteBus],
) -> None:
    first = opened()
    refusing = Recorder(lambda envelope, nth: Received("retry", "not yet"))
    first.subscribe("ledger", ["run"], refusing)
    first.start()
    handed = event(1)
    first.publish([handed])
    assert refusing.got([handed])
    first.stop()

    taking, again = Recorder(), opened()
    again.subscribe("ledger", ["run"], taking)
    again.start()
    assert taking.got([handed])


def test_events_are_refused_when_the_bus_has_stopped(opened: Callable[[], SqliteBus]) -> None:
    bus = opened()
    bus.stop()
    with pytest.raises(Unavailable):
        bus.publish([event(1)])
