"""Facts about agents that others keep time or books by."""

from __future__ import annotations

from typing import ClassVar

from shared.agentfile.model import Schedule
from shared.events.envelope import Event


class AgentChanged(Event):
    """An agent was switched, rescheduled, given another version or deleted. `revision` rises as text
    order; a fact with a smaller one than already seen is late and ignored.

    Emitted by: gateway
    Handled by: planner, scheduler
    """

    fact: ClassVar[str] = "agent.changed.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"gateway"})
    subject_field: ClassVar[str] = "agent_id"

    agent_id: str
    conversation_id: str
    enabled: bool
    deleted: bool = False
    version_id: str | None
    grant_id: str | None
    schedule: Schedule | None
    tokens_per_run: int = 0
    revision: str
