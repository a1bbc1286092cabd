"""Facts about questions that people answered: parked runs', and packages'."""

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


class PackagesDecided(Event):
    """A person said whether packages of a version may be used.

    Emitted by: gateway
    Handled by: executor
    """

    fact: ClassVar[str] = "permission.packages_decided.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"gateway"})
    subject_field: ClassVar[str] = "version_id"

    version_id: str
    permission_request_id: str
    decision: Literal["allow", "deny"]
