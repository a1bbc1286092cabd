"""What a cap is, when a lease fits under it, and what becomes of it. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeVar

from shared.clock import moment, stamp
from shared.records.ledger import AgentDay, Budget, Lease

Purse = TypeVar("Purse", Budget, AgentDay)

TURN_TOKENS = 60_000  # decision: one answer with several model turns; unspent tokens come back when it closes
TURN_LASTS = timedelta(minutes=15)
RUN_LASTS = timedelta(hours=6)  # queue limit + the longest wall limit
GRACE = timedelta(minutes=15)  # design, section 8


def period(now: datetime) -> str:
    """The calendar month in UTC a spend counts in: `2026-11`."""
    return now.strftime("%Y-%m")


def budget_id(workspace_id: str, now: datetime) -> str:
    return f"{workspace_id}-{period(now)}"


def agent_day_id(agent_id: str, now: datetime) -> str:
    return f"{agent_id}-{now:%Y-%m-%d}"


def agent_month_id(agent_id: str, now: datetime) -> str:
    return f"{agent_id}-{period(now)}"


def room(purse: Budget | AgentDay) -> int:
    """What may still be granted; below 0 when servers have reported more than anybody granted."""
    return purse.cap_tokens - purse.leased_tokens - purse.spent_tokens - purse.over_tokens


def fits(purse: Budget | AgentDay, tokens: int) -> bool:
    """Open leases plus spent never pass the cap: a lease is taken in full when granted. What costs nothing fits."""
    return tokens <= max(0, room(purse))


def affordable(budget: Budget, wished: int) -> int:
    """As much of the wish as fits; 0 when nothing does."""
    return max(0, min(wished, room(budget)))


def lent(purse: Purse, tokens: int) -> Purse:
    return purse.but(leased_tokens=purse.leased_tokens + tokens)


def freed(purse: Purse, tokens: int) -> Purse:
    return purse.but(leased_tokens=max(0, purse.leased_tokens - tokens))


def used(purse: Purse, covered: int, beyond: int) -> Purse:
    """covered: of what an open lease holds. beyond: what no lease holds (reported above it, or after it was
    freed); it is spent as far as the cap has room, and over where it has not."""
    unused = purse.cap_tokens - purse.leased_tokens - purse.spent_tokens
    fitting = min(beyond, max(0, unused))
    return purse.but(
        leased_tokens=max(0, purse.leased_tokens - covered),
        spent_tokens=purse.spent_tokens + covered + fitting,
        over_tokens=purse.over_tokens + beyond - fitting,
    )


def covered_by(lease: Lease, tokens: int) -> int:
    """How much of a use the lease still holds; a closed one has given its rest back already."""
    return min(tokens, max(0, lease.tokens - lease.spent_tokens)) if lease.status == "open" else 0


def overdue(lease: Lease, now: datetime) -> bool:
    return lease.status == "open" and stamp(now) > stamp(moment(lease.expires_at) + GRACE)
