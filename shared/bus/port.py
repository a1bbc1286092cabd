"""Durable, at-least-once, unordered delivery of envelopes to services.

Read next: `dispatch.py`, the only place that decides what becomes of an event.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from shared.events.envelope import Envelope

Verdict = Literal["ack", "retry", "dead"]


@dataclass(frozen=True)
class Received:
    """What a service made of an event. reason is kept with a dead letter, and shown with a retry."""

    verdict: Verdict
    reason: str = ""


Receiver = Callable[[Envelope], Received]
Awaits = Callable[[Envelope], bool]


@dataclass(frozen=True)
class DeadLetter:
    id: str
    service: str
    reason: str
    at: str
    envelope: Envelope


class Bus(Protocol):
    """`publish` returns when the events are durable for every service subscribed at that moment or later
    on the same data; publishing one event twice may deliver it twice. A receiver is called from the bus's
    own threads, one event at a time or several, in any order; `retry` and a raised exception redeliver
    with growing delay for up to 10 minutes, then the event becomes a dead letter; `dead` does so at once.

    local: publishing takes less time than waking a thread for it."""

    local: bool

    def publish(self, envelopes: Sequence[Envelope]) -> None:
        """Raises Unavailable; nothing is lost then, the outbox still has them."""

    def subscribe(
        self, service: str, topics: Sequence[str], receive: Receiver, *, awaits: Awaits | None = None
    ) -> None:
        """Once per service, before `start`. awaits: whether it acts on an event; the topics' other events may
        then come late. None: on all of them."""

    def start(self) -> None: ...

    def dead_letters(self, limit: int = 100) -> list[DeadLetter]: ...

    def replay(self, dead_letter_id: str) -> None:
        """Deliver a dead letter again to the service that refused it. Raises NotFound."""

    def trim(self) -> None:
        """Forget what every service has passed. Cheap; called now and then."""

    def stop(self) -> None:
        """No receiver is called after it returns. May be called twice."""
