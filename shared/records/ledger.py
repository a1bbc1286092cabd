"""Owned by ledger: budgets, leases, usage and its sums."""

from __future__ import annotations

from typing import Literal

from shared.records import Record


class Budget(Record):
    """Tokens of one workspace in one month, id `<workspace>-<yyyy-mm>`. leased + spent never pass cap.

    over      what servers reported beyond what a call had been given, where the cap had no room for it: nobody
              could have stopped it, so it stands apart, and nothing new is granted before it would fit as well
    unpriced  of spent and over: used by models whose price is not known, so that it is in no cost
    """

    period: str
    cap_tokens: int
    leased_tokens: int = 0
    spent_tokens: int = 0
    spent_usd_micros: int = 0
    over_tokens: int = 0
    unpriced_tokens: int = 0


class AgentDay(Record):
    """Tokens of all runs of one agent on one day in UTC, id `<agent>-<yyyy-mm-dd>`; as in Budget. `cap_tokens`
    is what the run that asked last was allowed."""

    agent_id: str
    day: str
    cap_tokens: int
    leased_tokens: int = 0
    spent_tokens: int = 0
    over_tokens: int = 0


class AgentMonth(Record):
    """All tokens models used for one agent in one calendar month in UTC, id `<agent>-<yyyy-mm>`: in its runs, and in
    the conversation that made it. Absent: none. Every usage entry with tokens is in it, once."""

    agent_id: str
    period: str
    tokens: int = 0


class Lease(Record):
    """Prepaid tokens for one answer or one run. Freed when closed, or at `expires_at` + 15 minutes. day_id: the
    agent's day it was taken from as well; None: from the month alone."""

    holder: Literal["turn", "run"]
    holder_id: str
    agent_id: str | None = None
    budget_id: str
    tokens: int
    spent_tokens: int = 0
    status: Literal["open", "closed"] = "open"
    day_id: str | None = None
    expires_at: str
    at: str


class UsageEntry(Record):
    """One line of the record, immutable; id follows from the fact that caused it. priced: as in TokensUsed."""

    agent_id: str | None
    conversation_id: str | None = None
    run_id: str | None = None
    model: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd_micros: int = 0
    priced: bool = True
    cpu_ms: int = 0
    wall_ms: int = 0
    at: str
