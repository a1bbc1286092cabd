"""All event types by their wire name; the topics they travel on."""

from __future__ import annotations

from shared.events import (
    agent,
    clock,
    connection,
    conversation,
    delivery,
    environment,
    permission,
    plan,
    run,
    schedule,
    usage,
    workspace,
)
from shared.events.envelope import Envelope, Event, payload

_MODULES = (
    agent,
    clock,
    connection,
    conversation,
    delivery,
    environment,
    permission,
    plan,
    run,
    schedule,
    usage,
    workspace,
)

TYPES: dict[str, type[Event]] = {
    kind.type(): kind
    for module in _MODULES
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
}


def topics() -> tuple[str, ...]:
    return tuple(sorted({kind.topic() for kind in TYPES.values()}))


def decode(envelope: Envelope) -> Event | None:
    """The typed payload, or None for a type this build does not know. Raises DecodeError for bad data."""
    kind = TYPES.get(envelope.type)
    return payload(envelope, kind) if kind else None
