"""The tick."""

from __future__ import annotations

from typing import ClassVar

from shared.events.envelope import Event


class TimeTicked(Event):
    """A moment passed. Every service sweeps what is overdue; the scheduler looks for due slots.

    Emitted by: clock
    Handled by: executor, gateway, ledger, planner, scheduler
    """

    fact: ClassVar[str] = "clock.time_ticked.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"clock"})
    subject_field: ClassVar[str] = "at"

    at: str
