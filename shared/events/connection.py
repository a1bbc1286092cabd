"""Facts about connections: a workspace's own access to a model."""

from __future__ import annotations

from typing import ClassVar

from shared.events.envelope import Event


class ConnectionTyped(Event):
    """A person gave a key, or chose another model for it. The key itself is sealed in the gateway's document;
    version rises with every change, and only the newest is of interest.

    Emitted by: gateway
    Handled by: planner
    """

    fact: ClassVar[str] = "connection.typed.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"gateway"})
    subject_field: ClassVar[str] = "connection_id"

    connection_id: str
    version: int


class ConnectionTested(Event):
    """One tiny call was made with the key. problem: one sentence by language ("ko", "en"), empty when it went
    well; code names it for programs. cost_usd_micros: None when the model's price is not known.

    Emitted by: planner
    Handled by: gateway
    """

    fact: ClassVar[str] = "connection.tested.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"planner"})
    subject_field: ClassVar[str] = "connection_id"

    connection_id: str
    version: int
    ok: bool
    code: str = ""
    problem: dict[str, str] = {}
    model: str
    tokens: int
    cost_usd_micros: int | None
