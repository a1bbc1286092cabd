"""Accounting: usage by agent, run, day or model; the month's budget; planned firings."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from services.gateway.repository.shapes import AGENTS
from services.gateway.routes.answers import Answer, Api, deps, scope
from shared.records.gateway import Agent
from shared.records.ledger import Budget, UsageEntry
from shared.records.scheduler import Slot
from shared.store.port import Where

api = Api("account")

_LINES = 10_000


class UsageQuery(BaseModel):
    by: Literal["agent", "run", "day", "model"] = "agent"


class UsageLine(Answer):
    """label: what a person calls it; the key itself when there is no name. priced: False when some of it is in no
    cost, because nobody knows the model's price."""

    key: str
    label: str
    runs: int
    input_tokens: int
    output_tokens: int
    cost_usd_micros: int
    priced: bool
    cpu_ms: int
    wall_ms: int


class UsageList(Answer):
    """since: what was used before that is in no sum; null: everything is in them."""

    items: tuple[UsageLine, ...]
    since: str | None


class BudgetView(Answer):
    """Of this month. leased: promised to turns and runs under way. unpriced: of the tokens spent, those that are in
    no cost, because nobody knows the model's price."""

    period: str
    cap_tokens: int
    leased_tokens: int
    spent_tokens: int
    spent_usd_micros: int
    unpriced_tokens: int


class SlotQuery(BaseModel):
    agent_id: str | None = Field(None, max_length=200)


class SlotList(Answer):
    items: tuple[Slot, ...]


@api.get("/usage", UsageList)
def list_usage(query: UsageQuery) -> UsageList:
    entries = scope().all(deps().readers["ledger"], "usage", UsageEntry, order_by="at", limit=_LINES)
    groups: dict[str, list[UsageEntry]] = {}
    for entry in entries:
        key = _key(entry, query.by)
        if key:
            groups.setdefault(key, []).append(entry)
    lines = tuple(_line(key, group, query.by) for key, group in groups.items())
    return UsageList(items=lines, since=entries[-1].at if len(entries) == _LINES else None)


@api.get("/budget", BudgetView)
def get_budget() -> BudgetView:
    period = deps().now()[:7]
    found = scope().find(deps().readers["ledger"], "budgets", f"{scope().workspace_id}-{period}", Budget)
    if found is None:
        return BudgetView(
            period=period,
            cap_tokens=deps().door.month_tokens,
            leased_tokens=0,
            spent_tokens=0,
            spent_usd_micros=0,
            unpriced_tokens=0,
        )
    return BudgetView.model_validate(found.model_dump(include=set(BudgetView.model_fields)))


@api.get("/slots", SlotList)
def list_slots(query: SlotQuery) -> SlotList:
    where = (Where("agent_id", "==", query.agent_id),) if query.agent_id else ()
    return SlotList(
        items=tuple(scope().all(deps().readers["scheduler"], "slots", Slot, *where, order_by="at"))
    )


def _key(entry: UsageEntry, by: str) -> str:
    if by == "agent":
        return entry.agent_id or entry.conversation_id or ""
    if by == "run":
        return entry.run_id or ""
    return entry.at[:10] if by == "day" else entry.model or ""


def _line(key: str, group: list[UsageEntry], by: str) -> UsageLine:
    agent = scope().find(deps().store, AGENTS, key, Agent) if by == "agent" else None
    return UsageLine(
        key=key,
        label=agent.name if agent else key,
        runs=len({entry.run_id for entry in group if entry.run_id}),
        input_tokens=sum(entry.input_tokens for entry in group),
        output_tokens=sum(entry.output_tokens for entry in group),
        cost_usd_micros=sum(entry.cost_usd_micros for entry in group),
        priced=all(entry.priced for entry in group),
        cpu_ms=sum(entry.cpu_ms for entry in group),
        wall_ms=sum(entry.wall_ms for entry in group),
    )
