"""Facts about plans and versions."""

from __future__ import annotations

from typing import ClassVar, Literal

from shared.events.envelope import Event


class PlanDecided(Event):
    """A person approved or rejected a plan by its hash. An approval carries the grant's id.

    Emitted by: gateway
    Handled by: planner
    """

    fact: ClassVar[str] = "plan.decided.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"gateway"})
    subject_field: ClassVar[str] = "plan_id"

    plan_id: str
    conversation_id: str
    agent_id: str
    version_id: str
    decision: Literal["approve", "reject"]
    manifest_hash: str
    grant_id: str | None = None


class PlanEdited(Event):
    """A person changed schedule, caps or contract of a proposed plan; data is the changed parts as JSON.

    Emitted by: gateway
    Handled by: planner
    """

    fact: ClassVar[str] = "plan.edited.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"gateway"})
    subject_field: ClassVar[str] = "plan_id"

    plan_id: str
    conversation_id: str
    changes: dict[str, object]


class VersionPublished(Event):
    """An approved version stands in the store; its packages may be installed.

    Emitted by: planner
    Handled by: executor
    """

    fact: ClassVar[str] = "plan.version_published.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"planner"})
    subject_field: ClassVar[str] = "version_id"

    version_id: str
    agent_id: str
    conversation_id: str


class VersionReady(Event):
    """A rehearsal of the version passed and was shown; it may be switched on. repair: "" it is no repair · sure: of
    what is allowed, it stood every trial · unsure: some of it could not be tried.

    Emitted by: planner
    Handled by: gateway
    """

    fact: ClassVar[str] = "plan.version_ready.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"planner"})
    subject_field: ClassVar[str] = "version_id"

    version_id: str
    agent_id: str
    conversation_id: str
    number: int
    run_id: str
    repair: Literal["", "sure", "unsure"] = ""
