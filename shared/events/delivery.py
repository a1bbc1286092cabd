"""Facts about messages sent out."""

from __future__ import annotations

from typing import ClassVar, Literal

from shared.events.envelope import Event


class DeliveryRequested(Event):
    """A run whose contract held wants a message sent. delivery_id is the effect id: it never means two messages.

    text_key is the blob with the whole text when it is longer than the event may carry; text is then its start.

    Emitted by: executor
    Handled by: gateway
    """

    fact: ClassVar[str] = "delivery.requested.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"executor"})
    subject_field: ClassVar[str] = "delivery_id"

    delivery_id: str
    run_id: str
    agent_id: str
    grant_id: str | None
    channel: Literal["inbox", "slack", "email"]
    title: str
    text: str
    text_key: str | None = None
    files: tuple[str, ...] = ()


class DeliverySettled(Event):
    """Emitted by: gateway
    Handled by: executor
    """

    fact: ClassVar[str] = "delivery.settled.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"gateway"})
    subject_field: ClassVar[str] = "run_id"

    delivery_id: str
    run_id: str
    status: Literal["sent", "failed", "unknown"]
    detail: str = ""
