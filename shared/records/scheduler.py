"""Owned by scheduler: schedules and the slots they made."""

from __future__ import annotations

from typing import Literal

from shared.agentfile.model import Schedule
from shared.records import Record


class ScheduleRecord(Record):
    """One agent's schedule; id = agent id. `next_at` None: nothing is due any more (or it is off)."""

    agent_id: str
    version_id: str | None
    grant_id: str | None
    enabled: bool
    schedule: Schedule
    tokens_per_run: int = 0
    tokens_per_day: int | None = None
    revision: str
    next_at: str | None
    updated_at: str


class Slot(Record):
    """One planned firing; id = run id, derived from agent and time, so it cannot be made twice."""

    agent_id: str
    at: str
    status: Literal["requested", "ran", "late", "skipped", "missed"]
    run_id: str | None = None
    reason: str = ""
    settled_at: str | None = None
