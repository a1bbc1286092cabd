"""Facts about parked runs' questions."""

from __future__ import annotations

from typing import ClassVar, Literal

from shared.events.envelope import Event


class PermissionDecided(Event):
    """A person answered a parked run's question. allow carries the wider grant's id.

    Emitted by: gateway
    Handled by: executor
    """

    fact: ClassVar[str] = "permission.decided.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"gateway"})
    subject_field: ClassVar[str] = "run_id"

    run_id: str
    permission_request_id: str
    decision: Literal["allow", "deny"]
    grant_id: str | None = None
