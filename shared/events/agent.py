"""Facts about agents that others keep time or books by."""

from __future__ import annotations

from typing import ClassVar, Literal

from shared.agentfile.model import Schedule
from shared.events.envelope import Event


class AgentChanged(Event):
    """An agent was switched, rescheduled, given another version or deleted. `revision` rises as text
    order; a fact with a smaller one than already seen is late and ignored. by_repair: a mended version went live by
    itself, as its person has set it.

    Emitted by: gateway
    Handled by: executor, planner, scheduler
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
    tokens_per_day: int | None = None
    by_repair: bool = False
    revision: str


class AgentQuarantined(Event):
    """The agent's code tried to pass on a decoy. Nothing of that run was delivered or kept.

    Emitted by: executor
    Handled by: gateway
    """

    fact: ClassVar[str] = "agent.quarantined.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"executor"})
    subject_field: ClassVar[str] = "agent_id"

    agent_id: str
    run_id: str
    text: str


class StateRewindRequested(Event):
    """Somebody wants an agent to remember what it remembered at version `number`.

    Emitted by: gateway
    Handled by: executor
    """

    fact: ClassVar[str] = "agent.state_rewind_requested.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"gateway"})
    subject_field: ClassVar[str] = "agent_id"

    agent_id: str
    rewind_id: str
    number: int


class StateRewound(Event):
    """Version `number` has the content of version `rewound_from`; the next run begins with it.

    Emitted by: executor
    Handled by: gateway
    """

    fact: ClassVar[str] = "agent.state_rewound.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"executor"})
    subject_field: ClassVar[str] = "agent_id"

    agent_id: str
    rewind_id: str
    number: int
    rewound_from: int


class StateRewindRefused(Event):
    """Nothing was changed. `reason`: gone (the version is kept no longer) or candidate (its run's contract
    did not hold).

    Emitted by: executor
    Handled by: gateway
    """

    fact: ClassVar[str] = "agent.state_rewind_refused.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"executor"})
    subject_field: ClassVar[str] = "agent_id"

    agent_id: str
    rewind_id: str
    number: int
    reason: Literal["gone", "candidate"]
