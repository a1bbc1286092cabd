"""What a cap is and when a lease fits under it. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.clock import moment, stamp
from shared.records.ledger import Budget, Lease

TURN_TOKENS = 60_000  # decision: one answer with several model turns; unspent tokens come back when it closes
TURN_LASTS = timedelta(minutes=15)
RUN_LASTS = timedelta(hours=6)  # queue limit + the longest wall limit
GRACE = timedelta(minutes=15)  # design, section 8


def period(now: datetime) -> str:
    """The calendar month in UTC a spend counts in: `2026-11`."""
    return now.strftime("%Y-%m")


def budget_id(workspace_id: str, now: datetime) -> str:
    return f"{workspace_id}-{period(now)}"


def fits(budget: Budget, tokens: int) -> bool:
    """Open leases plus spent never pass the cap: a lease is taken in full when granted."""
    return budget.leased_tokens + budget.spent_tokens + tokens <= budget.cap_tokens


def affordable(budget: Budget, wished: int) -> int:
    """As much of the wish as fits; 0 when nothing does."""
    return max(0, min(wished, budget.cap_tokens - budget.leased_tokens - budget.spent_tokens))


def overdue(lease: Lease, now: datetime) -> bool:
    return lease.status == "open" and stamp(now) > stamp(moment(lease.expires_at) + GRACE)
