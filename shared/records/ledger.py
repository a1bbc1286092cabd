"""Owned by ledger: budgets, leases, usage."""

from __future__ import annotations

from typing import Literal

from shared.records import Record


class Budget(Record):
    """Tokens of one workspace in one month, id `<workspace>-<yyyy-mm>`. leased + spent never pass cap."""

    period: str
    cap_tokens: int
    leased_tokens: int = 0
    spent_tokens: int = 0
    spent_usd_micros: int = 0


class Lease(Record):
    """Prepaid tokens for one answer or one run. Freed when closed, or at `expires_at` + 15 minutes."""

    holder: Literal["turn", "run"]
    holder_id: str
    agent_id: str | None = None
    budget_id: str
    tokens: int
    spent_tokens: int = 0
    status: Literal["open", "closed"] = "open"
    expires_at: str
    at: str


class UsageEntry(Record):
    """One line of the record, immutable; id follows from the fact that caused it."""

    agent_id: str | None
    conversation_id: str | None = None
    run_id: str | None = None
    model: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd_micros: int = 0
    cpu_ms: int = 0
    wall_ms: int = 0
    at: str
