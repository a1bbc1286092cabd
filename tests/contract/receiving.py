"""A receiver that remembers what came, answers as told and can be waited for."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable

from shared.bus.port import Received
from shared.clock import SystemClock, stamp
from shared.events.envelope import Envelope
from shared.ids import RandomIds

LONG_S = 30.0
ACK = Received("ack")
_ids = RandomIds()


def event(n: int = 0, *, type: str = "agentbuilder.run.requested.v1", subject: str | None = None) -> Envelope:
    return Envelope(
        id=_ids.new("evt"),
        source="/services/gateway",
        type=type,
        subject=subject or f"run_{n}",
        time=stamp(SystemClock().now()),
        workspace_id="ws_1",
        actor="user:u1",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        data={"n": n, "글": "값 😀", "nested": {"list": [1, None, [True]]}},
    )


class Recorder:
    """`answer(envelope, nth)`: the verdict for the nth arrival (from 1) of this event; may raise."""

    def __init__(self, answer: Callable[[Envelope, int], Received] = lambda envelope, nth: ACK) -> None:
        self._answer = answer
        self._condition = threading.Condition()
        self.arrived: list[Envelope] = []

    def __call__(self, envelope: Envelope) -> Received:
        with self._condition:
            self.arrived.append(envelope)
            nth = sum(e.id == envelope.id for e in self.arrived)
            self._condition.notify_all()
        return self._answer(envelope, nth)

    def counts(self) -> Counter[str]:
        with self._condition:
            return Counter(e.id for e in self.arrived)

    def got(self, wanted: Iterable[Envelope], times: int = 1, within_s: float = LONG_S) -> bool:
        """Waits until each of `wanted` has arrived at least `times` times."""
        ids = [e.id for e in wanted]

        def all_here() -> bool:
            counts = Counter(e.id for e in self.arrived)
            return all(counts[id] >= times for id in ids)

        with self._condition:
            return self._condition.wait_for(all_here, within_s)


def eventually(condition: Callable[[], bool], within_s: float = LONG_S) -> bool:
    """Polls what has no way to tell."""
    clock, never = SystemClock(), threading.Event()
    end = clock.monotonic() + within_s
    while not condition():
        if clock.monotonic() > end:
            return False
        never.wait(0.02)
    return True
