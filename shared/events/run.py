"""Facts about runs, from the request to the settlement."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from shared.events.envelope import Event

RunKind = Literal["test", "manual", "scheduled", "triggered", "replay"]
Variation = Literal["", "altered", "altered_numbers", "altered_pages", "forgotten", "emptied", "error"]


class RunRequested(Event):
    """Somebody or some slot wants a run. deadline_at bounds the wait in the queue. allowed_writes: of a
    rehearsal, the ids of shown writes that a person lets through. tokens_per_day: what all runs of the agent
    may use in one day; None: it has no such cap. variation: of a replay, what else than the recording it is given
    (shared/records/executor.py); "": the recording as it is. beside: the run it is held against beside its own.

    Emitted by: gateway, planner, scheduler
    Handled by: executor, ledger
    """

    fact: ClassVar[str] = "run.requested.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"gateway", "planner", "scheduler"})
    subject_field: ClassVar[str] = "run_id"

    run_id: str
    agent_id: str
    version_id: str
    kind: RunKind
    grant_id: str | None = None
    conversation_id: str | None = None
    input: Any = None
    slot_at: str | None = None
    overlap: Literal["skip", "queue", "replace"] = "queue"
    tokens: int = 0
    allowed_writes: tuple[str, ...] = ()
    replay_of: str | None = None
    variation: Variation = ""
    beside: str | None = None
    tokens_per_day: int | None = None
    deadline_at: str
    requested_at: str


class RunFunded(Event):
    """Emitted by: ledger
    Handled by: executor, planner
    """

    fact: ClassVar[str] = "run.funded.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"ledger"})
    subject_field: ClassVar[str] = "run_id"

    run_id: str
    lease_id: str
    tokens: int
    expires_at: str
    agent_id: str | None = None


class RunRefused(Event):
    """The ledger will not pay for it.

    Emitted by: ledger
    Handled by: executor
    """

    fact: ClassVar[str] = "run.refused.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"ledger"})
    subject_field: ClassVar[str] = "run_id"

    run_id: str
    reason: str


class RunCancelRequested(Event):
    """Emitted by: gateway
    Handled by: executor
    """

    fact: ClassVar[str] = "run.cancel_requested.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"gateway"})
    subject_field: ClassVar[str] = "run_id"

    run_id: str


class RunStarted(Event):
    """User code of an attempt begins.

    Emitted by: executor
    Handled by: gateway, planner, scheduler
    """

    fact: ClassVar[str] = "run.started.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"executor"})
    subject_field: ClassVar[str] = "run_id"

    run_id: str
    agent_id: str
    kind: RunKind
    attempt: int
    conversation_id: str | None = None


class AttemptEnded(Event):
    """The trusted side saw an attempt end; what it left is collected in the attempt's document.

    Emitted by: executor
    Handled by: executor
    """

    fact: ClassVar[str] = "run.attempt_ended.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"executor"})
    subject_field: ClassVar[str] = "run_id"

    run_id: str
    attempt_id: str


class RunParked(Event):
    """An attempt ended because it needs a permission nobody has given yet.

    Emitted by: executor
    Handled by: executor, gateway, ledger
    """

    fact: ClassVar[str] = "run.parked.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"executor"})
    subject_field: ClassVar[str] = "run_id"

    run_id: str
    agent_id: str
    kind: RunKind
    conversation_id: str | None
    permission_request_id: str
    sentence: str
    lease_id: str | None = None


class RunFinished(Event):
    """Exactly one per run: no further attempt will come.

    deliveries is how many were requested in the same commit (0 for tests and replays).

    Emitted by: executor
    Handled by: executor, gateway, ledger, planner, scheduler
    """

    fact: ClassVar[str] = "run.finished.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"executor"})
    subject_field: ClassVar[str] = "run_id"

    run_id: str
    agent_id: str
    version_id: str
    kind: RunKind
    conversation_id: str | None
    status: str
    outcome: str
    reason_code: str = ""
    reason_text: str = ""
    deliveries: int = 0
    lease_id: str | None = None
    wall_ms: int = 0
    cpu_ms: int = 0


class RunSettled(Event):
    """All deliveries of a finished run have an end; the outcome is final.

    Emitted by: executor
    Handled by: gateway
    """

    fact: ClassVar[str] = "run.settled.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"executor"})
    subject_field: ClassVar[str] = "run_id"

    run_id: str
    agent_id: str
    kind: RunKind
    status: str
    outcome: str
    text: str = ""
