"""Facts about tokens."""

from __future__ import annotations

from typing import ClassVar

from shared.events.envelope import Event


class TokensUsed(Event):
    """One model call was paid for, under the call's id. priced: False when nobody knows what the model costs;
    then cost_usd_micros is 0 and means nothing.

    Emitted by: planner
    Handled by: ledger, planner
    """

    fact: ClassVar[str] = "usage.tokens_used.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"planner"})
    subject_field: ClassVar[str] = "lease_id"

    lease_id: str
    call_id: str
    model: str
    agent_id: str | None = None
    conversation_id: str | None = None
    run_id: str | None = None
    input_tokens: int
    output_tokens: int
    cost_usd_micros: int
    priced: bool = True


class LeaseRecalled(Event):
    """What a lease was for is over: whoever holds it begins no more calls and closes it when those under way
    are settled. Only of leases with tokens: others have no holder.

    Emitted by: ledger
    Handled by: planner
    """

    fact: ClassVar[str] = "usage.lease_recalled.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"ledger"})
    subject_field: ClassVar[str] = "lease_id"

    lease_id: str


class LeaseClosed(Event):
    """The holder is done; what it did not spend is free again. spent_tokens is what it reported in all with
    `tokens_used`: the rest is free only when all of that has been heard, in whatever order it comes.

    Emitted by: executor, planner
    Handled by: ledger
    """

    fact: ClassVar[str] = "usage.lease_closed.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"executor", "planner"})
    subject_field: ClassVar[str] = "lease_id"

    lease_id: str
    spent_tokens: int = 0
