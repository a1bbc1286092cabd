"""What the scheduler tells itself."""

from __future__ import annotations

from typing import ClassVar

from shared.events.envelope import Event


class DueLeft(Event):
    """More schedules are due than one commit makes slots of: those after `schedule_id`, which is due at
    `next_at`, are still to be made. `last`: and whoever makes them looks for more behind them.

    Emitted by: scheduler
    Handled by: scheduler
    """

    fact: ClassVar[str] = "schedule.due_left.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"scheduler"})
    subject_field: ClassVar[str] = "schedule_id"

    schedule_id: str
    next_at: str
    last: bool
