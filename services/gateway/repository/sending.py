"""The durable job of sending one message."""

from __future__ import annotations

from shared.bus.dispatch import Job


class SendJob(Job):
    """text_key: blob of the whole text, when it was too long for the event. again: a person asked for it."""

    delivery_id: str
    workspace_id: str
    text_key: str | None = None
    again: bool = False
