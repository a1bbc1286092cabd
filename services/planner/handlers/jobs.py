"""The job of one turn, of either engine."""

from __future__ import annotations

from shared.bus.dispatch import Job


class TurnJob(Job):
    """look_key: blob with what was just seen; look_failed: nothing could be read; look_problem: because this
    machine cannot look at all, and how to mend that."""

    conversation_id: str
    message_id: str
    look_key: str | None = None
    look_failed: bool = False
    look_problem: str = ""
    looked_at: tuple[str, ...] = ()
