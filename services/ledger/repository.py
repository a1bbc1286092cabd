"""Budgets, leases and usage as documents."""

from __future__ import annotations

from datetime import datetime

from services.ledger.model import agent_day_id, agent_month_id, budget_id, period
from shared.ids import derived
from shared.records.ledger import AgentDay, AgentMonth, Budget, Lease, UsageEntry
from shared.store.port import Query, Reader, Tx, Where

BUDGETS, DAYS, MONTHS, LEASES, USAGE = "budgets", "agent_days", "agent_months", "leases", "usage"

QUERIES = (
    Query(LEASES, (Where("status", "==", ""),), order_by="expires_at"),
    Query(LEASES, (Where("holder_id", "==", ""),), order_by="at"),
    Query(USAGE, (Where("workspace_id", "==", ""),), order_by="at"),
    Query(USAGE, (Where("agent_id", "==", ""),), order_by="at"),
    Query(USAGE, (Where("workspace_id", "==", ""),), order_by="at", descending=True),
    Query(
        MONTHS,
        (Where("workspace_id", "==", ""), Where("period", "==", "")),
        order_by="agent_id",
        descending=True,
    ),
)


def budget_of(tx: Tx, workspace_id: str, now: datetime, cap_tokens: int) -> Budget:
    """This month's budget; a fresh one with the given cap when the month has none yet."""
    id = budget_id(workspace_id, now)
    document = tx.get(BUDGETS, id)
    if document is not None:
        return Budget.from_doc(document.data)
    return Budget(id=id, workspace_id=workspace_id, period=period(now), cap_tokens=cap_tokens)


def find_budget(tx: Tx, id: str) -> Budget | None:
    document = tx.get(BUDGETS, id)
    return Budget.from_doc(document.data) if document else None


def save_budget(tx: Tx, budget: Budget) -> None:
    tx.put(BUDGETS, budget.id, budget.to_doc())


def day_of(tx: Tx, workspace_id: str, agent_id: str, now: datetime, cap_tokens: int) -> AgentDay:
    """This day of an agent, under the cap it has now."""
    id = agent_day_id(agent_id, now)
    document = tx.get(DAYS, id)
    if document is not None:
        return AgentDay.from_doc(document.data).but(cap_tokens=cap_tokens)
    day = id.removeprefix(f"{agent_id}-")
    return AgentDay(id=id, workspace_id=workspace_id, agent_id=agent_id, day=day, cap_tokens=cap_tokens)


def find_day(tx: Tx, id: str | None) -> AgentDay | None:
    document = tx.get(DAYS, id) if id else None
    return AgentDay.from_doc(document.data) if document else None


def save_day(tx: Tx, day: AgentDay) -> None:
    tx.put(DAYS, day.id, day.to_doc())


def add_to_month(tx: Tx, workspace_id: str, agent_id: str, now: datetime, tokens: int) -> None:
    id = agent_month_id(agent_id, now)
    document = tx.get(MONTHS, id)
    month = (
        AgentMonth.from_doc(document.data)
        if document is not None
        else AgentMonth(id=id, workspace_id=workspace_id, agent_id=agent_id, period=period(now))
    )
    tx.put(MONTHS, id, month.but(tokens=month.tokens + tokens).to_doc())


def find_lease(tx: Tx, id: str) -> Lease | None:
    document = tx.get(LEASES, id)
    return Lease.from_doc(document.data) if document else None


def save_lease(tx: Tx, lease: Lease) -> None:
    tx.put(LEASES, lease.id, lease.to_doc())


def leases_of(reader: Reader | Tx, holder_id: str) -> list[Lease]:
    found = reader.query(Query(LEASES, (Where("holder_id", "==", holder_id),), order_by="at"))
    return [Lease.from_doc(d.data) for d in found]


def open_leases(reader: Reader | Tx, limit: int = 100) -> list[Lease]:
    found = reader.query(Query(LEASES, (Where("status", "==", "open"),), order_by="expires_at", limit=limit))
    return [Lease.from_doc(d.data) for d in found]


def add_usage(tx: Tx, entry: UsageEntry) -> None:
    tx.create(USAGE, entry.id, entry.to_doc())


def usage_id(call_id: str) -> str:
    return derived("use", call_id)


def is_counted(tx: Tx, call_id: str) -> bool:
    return tx.get(USAGE, usage_id(call_id)) is not None


def lease_id(holder_id: str, number: int) -> str:
    return derived("lease", holder_id, str(number))
