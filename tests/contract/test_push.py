"""Pub/Sub pushes: recorded from the emulator, and as the service sends them.

Source of service.json: cloud.google.com/pubsub/docs/push#receive_push (deliveryAttempt, orderingKey).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bus.port import Received
from shared.bus.push import LETTER, ONLY, Handed, from_push
from shared.clock import Clock, FakeClock, SystemClock
from shared.errors import DecodeError, Unavailable
from shared.events.envelope import MAX_DATA_BYTES, Envelope
from shared.ids import RandomIds
from tests.contract import adapters
from tests.contract.receiving import Recorder

PUSHES = Path(__file__).with_name("pushes")
SENT = Envelope(
    id="evt_7lq2m3k5w6x4y2z3a4b5c6d7",
    source="/services/gateway",
    type="agentbuilder.run.requested.v1",
    subject="run_abc",
    time="2026-11-22T20:00:00.000000Z",
    workspace_id="ws_1",
    actor="user:u1",
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    data={"run_id": "run_abc", "kind": "manual", "글": "값 😀"},
)


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    push = json.loads((PUSHES / "service.json").read_bytes())
    change(push)
    return json.dumps(push).encode()


def test_a_push_of_the_emulator_is_the_event_that_was_sent() -> None:
    assert from_push((PUSHES / "emulator.json").read_bytes()) == Handed(SENT, "819", None, "ledger")


def test_a_push_of_the_service_is_the_event_that_was_sent_and_counts_attempts() -> None:
    assert from_push((PUSHES / "service.json").read_bytes()) == Handed(SENT, "2070443601311540", 5, "ledger")


def test_the_attributes_of_an_event_are_those_of_the_recorded_push() -> None:
    recorded = json.loads((PUSHES / "emulator.json").read_bytes())["message"]
    assert recorded["attributes"] == SENT.attributes()
    assert base64.b64decode(recorded["data"]) == SENT.body()


def test_a_push_knows_its_circumstances_when_it_replays_a_dead_letter() -> None:
    handed = from_push(
        changed(lambda p: p["message"]["attributes"].update({ONLY: "ledger", LETTER: "dead_1"}))
    )
    assert (handed.only, handed.letter) == ("ledger", "dead_1")


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.pop("message"),
        lambda p: p.pop("subscription"),
        lambda p: p["message"].pop("attributes"),
        lambda p: p["message"].pop("data"),
        lambda p: (p["message"].pop("messageId"), p["message"].pop("message_id")),
        lambda p: p["message"]["attributes"].pop("ce-id"),
        lambda p: p["message"]["attributes"].pop("ce-workspaceid"),
        lambda p: p["message"].update(data="%%%"),
        lambda p: p["message"].update(data=7),
        lambda p: p["message"].update(data=base64.b64encode(b"[1]").decode()),
        lambda p: p["message"].update(data=base64.b64encode(b"{").decode()),
        lambda p: p["message"].update(data=base64.b64encode(b"\xff\xfe").decode()),
        lambda p: p["message"].update(data=base64.b64encode(b"[" * 100_000).decode()),
        lambda p: p["message"].update(attributes=[]),
        lambda p: p.update(message="text"),
    ],
)
def test_a_push_is_refused_when_a_part_is_missing_or_wrong(
    change: Callable[[dict[str, Any]], object],
) -> None:
    with pytest.raises(DecodeError):
        from_push(changed(change))


def test_a_push_is_refused_when_its_data_is_over_the_limit() -> None:
    large = base64.b64encode(b'{"x":"' + b"y" * MAX_DATA_BYTES + b'"}').decode()
    with pytest.raises(DecodeError):
        from_push(changed(lambda p: p["message"].update(data=large)))
    with pytest.raises(DecodeError):
        from_push(b" " * (3 * MAX_DATA_BYTES))


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_nothing_but_a_decode_error_comes_of_any_bytes(body: bytes) -> None:
    with pytest.raises(DecodeError):
        from_push(body)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def bus(pubsub_here: None, tmp_path: Path, clock: Clock) -> Iterator[Any]:
    made: Any = adapters.bus(adapters.GOOGLE, "test", tmp_path, clock)
    yield made
    made.stop()


HANDED = Handed(SENT, "m1", 1, "ledger")


def test_a_push_is_acknowledged_or_sent_back_as_the_receiver_says(bus: Any) -> None:
    verdicts = [Received("retry", "early"), Received("ack")]
    bus.subscribe("ledger", ["run"], Recorder(lambda envelope, nth: verdicts[nth - 1]))
    assert [bus.take(HANDED), bus.take(HANDED)] == [False, True]
    assert bus.dead_letters() == []


def test_a_push_is_acknowledged_and_kept_as_a_letter_when_refused_or_too_late(
    bus: Any, clock: FakeClock
) -> None:
    bus.subscribe("ledger", ["run"], Recorder(lambda envelope, nth: Received("retry", f"early {nth}")))
    assert not bus.take(HANDED)
    clock.advance(minutes=9)
    assert not bus.take(HANDED)
    clock.advance(minutes=2)
    assert bus.take(HANDED)
    assert [(letter.service, letter.reason) for letter in bus.dead_letters()] == [("ledger", "early 3")]


def test_a_push_waits_its_ten_minutes_from_when_it_was_first_seen_and_not_from_when_it_was_sent(
    bus: Any, clock: FakeClock
) -> None:
    clock.advance(days=2)
    bus.subscribe("ledger", ["run"], Recorder(lambda envelope, nth: Received("retry", "early")))
    assert not bus.take(HANDED)
    assert bus.dead_letters() == []


def test_a_replay_for_another_service_is_acknowledged_unseen(bus: Any) -> None:
    receiver = Recorder()
    bus.subscribe("ledger", ["run"], receiver)
    assert bus.take(Handed(SENT, "m1", 1, "ledger", only="gateway", letter="dead_1"))
    assert receiver.arrived == []


def test_a_push_for_a_service_that_is_not_here_is_an_error(bus: Any) -> None:
    with pytest.raises(KeyError):
        bus.take(Handed(SENT, "m1", 1, "unknown"))


def test_publishing_is_unavailable_and_nothing_else_when_the_bus_has_stopped(bus: Any) -> None:
    bus.stop()
    with pytest.raises(Unavailable):
        bus.publish([SENT])


def test_publishing_works_again_when_the_missing_topic_has_been_made(
    pubsub_here: None, tmp_path: Path
) -> None:
    """Google's client refuses an ordering key after a failure until it is told to resume."""
    from shared.bus.pubsub import provision

    project = RandomIds().new("t").replace("_", "")
    bus: Any = adapters.bus(adapters.GOOGLE, project, tmp_path, SystemClock())
    with pytest.raises(Unavailable):
        bus.publish([SENT])
    provision(project, ["run"], {"ledger": ["run"]})
    receiver = Recorder()
    bus.subscribe("ledger", ["run"], receiver)
    bus.start()
    bus.publish([SENT])
    assert receiver.got([SENT])
    bus.stop()
