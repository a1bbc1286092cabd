"""What shared/bus/port.py promises, on every adapter."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from shared.bus.port import Bus, Received
from shared.clock import FakeClock, SystemClock
from shared.errors import NotFound
from shared.events.envelope import Envelope
from tests.contract.adapters import BusKind
from tests.contract.receiving import ACK, Recorder, event, eventually
from tests.fakes.clock import ShiftedClock

RETRY = Received("retry", "not yet")


@pytest.fixture
def bus(buses: BusKind) -> Bus:
    return buses.open(SystemClock())


def started(bus: Bus, receiver: Recorder, service: str = "ledger") -> Recorder:
    bus.subscribe(service, ["clock", "run"], receiver)
    bus.start()
    return receiver


def test_an_event_arrives_whole_when_published(bus: Bus) -> None:
    receiver = started(bus, Recorder())
    sent = event(1)
    bus.publish([sent])
    assert receiver.got([sent])
    assert receiver.arrived == [sent]


def test_an_event_arrives_whole_when_its_optional_parts_are_empty(bus: Bus) -> None:
    receiver = started(bus, Recorder())
    sent = replace(event(1), traceparent="", actor="", workspace_id="", data={})
    bus.publish([sent])
    assert receiver.got([sent])
    assert receiver.arrived == [sent]


def test_a_large_event_arrives_when_its_data_is_just_under_the_limit(bus: Bus) -> None:
    receiver = started(bus, Recorder())
    sent = replace(event(1), data={"text": "가" * 85_000})
    bus.publish([sent])
    assert receiver.got([sent])
    assert receiver.arrived == [sent]


def test_many_events_all_arrive_when_published_at_once(bus: Bus) -> None:
    receiver = started(bus, Recorder())
    sent = [event(n % 7) for n in range(150)]
    bus.publish(sent)
    assert receiver.got(sent)
    bus.publish([])


def test_an_event_arrives_when_it_was_published_before_anybody_listened(bus: Bus) -> None:
    sent = event(1)
    bus.publish([sent])
    receiver = started(bus, Recorder())
    assert receiver.got([sent])


def test_every_service_gets_the_event_when_two_subscribe(bus: Bus) -> None:
    gateway, ledger = Recorder(), Recorder()
    bus.subscribe("gateway", ["run"], gateway)
    bus.subscribe("ledger", ["clock", "run"], ledger)
    bus.start()
    run, tick = event(1), event(2, type="agentbuilder.clock.time_ticked.v1")
    bus.publish([tick, run])
    assert gateway.got([run])
    assert ledger.got([run, tick])
    assert tick.id not in gateway.counts()


def test_a_topic_nobody_subscribed_to_disturbs_nobody_when_published(bus: Bus) -> None:
    receiver = started(bus, Recorder())
    unheard, heard = event(1, type="agentbuilder.usage.tokens_used.v1"), event(2)
    bus.publish([unheard, heard])
    assert receiver.got([heard])
    assert unheard.id not in receiver.counts()


def test_a_doubled_publish_loses_nothing(bus: Bus) -> None:
    receiver = started(bus, Recorder())
    twice, once = event(1), event(2)
    bus.publish([twice])
    bus.publish([twice, once, twice])
    assert receiver.got([twice, once])


def test_an_event_comes_again_when_the_receiver_says_retry(bus: Bus) -> None:
    receiver = started(bus, Recorder(lambda envelope, nth: RETRY if nth < 3 else ACK))
    sent = event(1)
    bus.publish([sent])
    assert receiver.got([sent], times=3)
    assert bus.dead_letters() == []


def test_an_event_comes_again_when_the_receiver_raises(bus: Bus, expect_errors: list[str]) -> None:
    def fail_once(envelope: Envelope, nth: int) -> Received:
        if nth == 1:
            raise LookupError("on purpose")
        return ACK

    receiver = started(bus, Recorder(fail_once))
    sent = event(1)
    bus.publish([sent])
    assert receiver.got([sent], times=2)
    assert "on purpose" in expect_errors[0]


def test_other_events_arrive_while_one_is_being_retried(bus: Bus) -> None:
    """Also of the same subject: nothing waits behind an early fact."""
    stuck = event(1)
    receiver = started(bus, Recorder(lambda envelope, nth: RETRY if envelope.id == stuck.id else ACK))
    bus.publish([stuck])
    assert receiver.got([stuck])
    others = [event(1), event(2)]
    bus.publish(others)
    assert receiver.got(others)


def test_an_event_is_not_delivered_again_when_it_was_acknowledged(bus: Bus) -> None:
    receiver = started(
        bus, Recorder(lambda envelope, nth: RETRY if envelope.data["n"] == 2 and nth < 3 else ACK)
    )
    done, again = event(1), event(2)
    bus.publish([done, again])
    assert receiver.got([again], times=3)
    assert receiver.counts()[done.id] == 1


def test_publishing_and_the_other_service_go_on_while_a_receiver_is_slow(bus: Bus) -> None:
    entered, leave = threading.Event(), threading.Event()

    def hold(envelope: Envelope, nth: int) -> Received:
        entered.set()
        leave.wait(60)
        return ACK

    slow, quick = Recorder(hold), Recorder()
    bus.subscribe("gateway", ["run"], slow)
    bus.subscribe("ledger", ["run"], quick)
    bus.start()
    try:
        first = event(0)
        bus.publish([first])
        assert entered.wait(30)
        later = [event(n) for n in range(1, 20)]
        bus.publish(later)
        assert quick.got([first, *later])
    finally:
        leave.set()
    assert slow.got([first, *later])


def test_a_refused_event_becomes_a_dead_letter_with_its_reason_and_does_not_come_again(bus: Bus) -> None:
    receiver = started(
        bus,
        Recorder(lambda envelope, nth: Received("dead", "unreadable 값") if envelope.data["n"] == 1 else ACK),
    )
    bad = event(1)
    bus.publish([bad])
    assert eventually(lambda: len(bus.dead_letters()) == 1)
    [letter] = bus.dead_letters()
    assert (letter.service, letter.reason, letter.envelope) == ("ledger", "unreadable 값", bad)
    after = event(2)
    bus.publish([after])
    assert receiver.got([after])
    assert receiver.counts()[bad.id] == 1


def test_a_dead_letter_goes_to_the_service_that_refused_it_only_when_replayed(bus: Bus) -> None:
    verdicts = {"gateway": ACK, "ledger": Received("dead", "a defect")}
    gateway = Recorder(lambda envelope, nth: verdicts["gateway"])
    ledger = Recorder(lambda envelope, nth: verdicts["ledger"])
    bus.subscribe("gateway", ["run"], gateway)
    bus.subscribe("ledger", ["run"], ledger)
    bus.start()
    sent = event(1)
    bus.publish([sent])
    assert eventually(lambda: len(bus.dead_letters()) == 1)
    assert gateway.got([sent])

    verdicts["ledger"] = ACK
    bus.replay(bus.dead_letters()[0].id)
    assert ledger.got([sent], times=2)
    assert eventually(lambda: bus.dead_letters() == [])
    after = event(2)
    bus.publish([after])
    assert gateway.got([after])
    assert gateway.counts()[sent.id] == 1


def test_a_dead_letter_is_there_again_when_its_replay_is_refused_too(bus: Bus) -> None:
    receiver = started(bus, Recorder(lambda envelope, nth: Received("dead", f"refused {nth}")))
    sent = event(1)
    bus.publish([sent])
    assert eventually(lambda: len(bus.dead_letters()) == 1)
    bus.replay(bus.dead_letters()[0].id)
    assert receiver.got([sent], times=2)
    assert eventually(lambda: [letter.reason for letter in bus.dead_letters()] == ["refused 2"])


def test_replaying_is_refused_when_there_is_no_such_letter(bus: Bus) -> None:
    with pytest.raises(NotFound):
        bus.replay("dead_nothing")


def there_are(bus: Bus, letters: int) -> bool:
    return len(bus.dead_letters()) == letters


def test_dead_letters_are_listed_newest_first_and_no_more_than_asked(buses: BusKind) -> None:
    clock = FakeClock()
    bus = buses.open(clock)

    def refuse(envelope: Envelope, nth: int) -> Received:
        clock.advance(seconds=1)
        return Received("dead", "no")

    started(bus, Recorder(refuse))
    for n in range(3):
        bus.publish([event(n)])
        assert eventually(partial(there_are, bus, n + 1))
    assert [letter.envelope.data["n"] for letter in bus.dead_letters()] == [2, 1, 0]
    assert [letter.envelope.data["n"] for letter in bus.dead_letters(limit=2)] == [2, 1]


def test_an_event_becomes_a_dead_letter_when_it_was_retried_for_ten_minutes(buses: BusKind) -> None:
    clock = FakeClock()
    bus = buses.open(clock)
    started(bus, Recorder(lambda envelope, nth: RETRY))
    begun = clock.now()
    bus.publish([event(1)])

    def is_given_up() -> bool:
        clock.advance(seconds=30)
        return len(bus.dead_letters()) == 1

    assert eventually(is_given_up)
    assert clock.now() - begun > timedelta(minutes=10)
    assert bus.dead_letters()[0].reason == "not yet"


def test_an_event_is_not_given_up_when_the_machine_has_slept_between_two_tries(buses: BusKind) -> None:
    clock = ShiftedClock()
    bus = buses.open(clock)
    receiver = started(bus, Recorder(lambda envelope, nth: RETRY if nth < 3 else ACK))
    sent = event(1)
    bus.publish([sent])
    assert receiver.got([sent])
    clock.forward_to(clock.now() + timedelta(days=1))
    assert receiver.got([sent], times=3)
    assert bus.dead_letters() == []


def test_an_event_is_delivered_by_the_next_process_when_it_was_not_acknowledged(buses: BusKind) -> None:
    first = buses.open(SystemClock())
    refusing = started(first, Recorder(lambda envelope, nth: RETRY))
    unacknowledged = event(1)
    first.publish([unacknowledged])
    assert refusing.got([unacknowledged])
    first.stop()

    meanwhile = event(2)
    buses.open(SystemClock()).publish([meanwhile])
    taking = started(buses.open(SystemClock()), Recorder())
    assert taking.got([unacknowledged, meanwhile])


def test_trimming_forgets_nothing_that_a_service_has_not_had(buses: BusKind) -> None:
    clock = FakeClock()
    bus = buses.open(clock)
    gateway, ledger = Recorder(), Recorder()
    bus.subscribe("gateway", ["run"], gateway)
    bus.subscribe("ledger", ["run"], ledger)
    early = [event(n) for n in range(3)]
    bus.publish(early)
    clock.advance(hours=2)
    bus.trim()
    bus.start()
    assert gateway.got(early)
    assert ledger.got(early)
    bus.trim()
    later = event(9)
    bus.publish([later])
    assert gateway.got([later])


def test_an_event_arrives_in_the_next_process_when_all_before_it_were_trimmed(buses: BusKind) -> None:
    clock = FakeClock()
    first = buses.open(clock)
    receiver = started(first, Recorder())
    early = [event(n) for n in range(3)]
    first.publish(early)
    assert receiver.got(early)
    first.stop()

    clock.advance(hours=2)
    second = buses.open(clock)
    second.trim()
    later = event(9)
    second.publish([later])
    assert started(second, Recorder()).got([later])


def test_no_receiver_is_called_when_the_bus_has_stopped(buses: BusKind) -> None:
    stopped = buses.open(SystemClock())
    before = started(stopped, Recorder())
    first = event(1)
    stopped.publish([first])
    assert before.got([first])
    stopped.stop()
    stopped.stop()

    other = buses.open(SystemClock())
    after = started(other, Recorder())
    second = event(2)
    other.publish([second])
    assert after.got([second])
    assert second.id not in before.counts()


def test_an_event_of_another_process_arrives_when_the_data_is_shared(buses: BusKind) -> None:
    receiver = started(buses.open(SystemClock()), Recorder())
    sent = event(1)
    buses.open(SystemClock()).publish([sent])
    assert receiver.got([sent])
