"""Leases before anything is spent, the record after. All quick: store only.

The month's budget, which all of a workspace write, is what each reads last: from then on others wait in line.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from services.ledger import repository
from services.ledger.deps import Deps
from services.ledger.model import (
    RUN_LASTS,
    TURN_LASTS,
    TURN_TOKENS,
    affordable,
    covered_by,
    fits,
    freed,
    lent,
    overdue,
    used,
)
from shared.bus.dispatch import Handlers, Quick
from shared.clock import stamp
from shared.errors import NotYet
from shared.events.clock import TimeTicked
from shared.events.conversation import MessageReceived, TurnAwaited, TurnFunded, TurnRefused
from shared.events.run import RunFinished, RunFunded, RunParked, RunRefused, RunRequested
from shared.events.usage import LeaseClosed, LeaseRecalled, TokensUsed
from shared.ids import derived
from shared.records.ledger import AgentDay, Budget, Lease, UsageEntry
from shared.store.port import Tx

_MONTH_FULL = "이번 달 토큰 한도에 닿아 실행하지 않았어요. (This month's token cap is reached.)"
_DAY_FULL = (
    "이 에이전트가 하루에 쓸 수 있는 토큰({cap}개)이 이번 실행에 모자라 실행하지 않았어요. 내일 다시 되거나, "
    "에이전트의 하루 한도를 올리면 돼요. (What this agent may use in a day, {cap} tokens, does not cover this run. "
    "It works again tomorrow, or with a higher cap.)"
)


def on_turn_wanted(event: MessageReceived | TurnAwaited, tx: Tx, deps: Deps) -> None:
    """A lease for one answer: up to TURN_TOKENS, as much as the month still has."""
    now = deps.clock.now()
    number = len(repository.leases_of(tx, event.message_id))
    budget = repository.budget_of(tx, tx.cause.workspace_id, now, deps.month_tokens)
    tokens = affordable(budget, TURN_TOKENS)
    if tokens <= 0:
        korean = event.language == "ko"
        reason = (
            "이번 달에 쓸 수 있는 토큰을 다 썼어요. 설정에서 한도를 올리면 이어서 할 수 있어요."
            if korean
            else "This month's tokens are used up. Raise the cap in settings to go on."
        )
        tx.emit(
            TurnRefused(conversation_id=event.conversation_id, message_id=event.message_id, reason=reason)
        )
        return
    lease = _lease(tx, budget, "turn", event.message_id, number, event.agent_id, tokens, TURN_LASTS, deps)
    tx.emit(
        TurnFunded(
            conversation_id=event.conversation_id,
            message_id=event.message_id,
            lease_id=lease.id,
            tokens=lease.tokens,
            expires_at=lease.expires_at,
        )
    )


def on_run_requested(event: RunRequested, tx: Tx, deps: Deps) -> None:
    """The whole per-run cap out of the agent's day and the month, or a refusal. Asked again after parking: a new
    lease; the earlier one is with its holder or closed."""
    now = deps.clock.now()
    number, day = len(repository.leases_of(tx, event.run_id)), _day(event, tx, now)
    budget = repository.budget_of(tx, tx.cause.workspace_id, now, deps.month_tokens)
    if not fits(budget, event.tokens):
        tx.emit(RunRefused(run_id=event.run_id, reason=_MONTH_FULL))
        return
    if day is not None and not fits(day, event.tokens):
        tx.emit(RunRefused(run_id=event.run_id, reason=_DAY_FULL.format(cap=f"{day.cap_tokens:,}")))
        return
    lease = _lease(
        tx, budget, "run", event.run_id, number, event.agent_id, event.tokens, RUN_LASTS, deps, day
    )
    tx.emit(
        RunFunded(
            run_id=event.run_id,
            lease_id=lease.id,
            tokens=lease.tokens,
            expires_at=lease.expires_at,
            agent_id=event.agent_id,
        )
    )


def _day(event: RunRequested, tx: Tx, now: datetime) -> AgentDay | None:
    """None: nothing is taken out of it."""
    if event.tokens <= 0 or event.tokens_per_day is None:
        return None
    return repository.day_of(tx, tx.cause.workspace_id, event.agent_id, now, event.tokens_per_day)


def _lease(
    tx: Tx,
    budget: Budget,
    holder: Literal["turn", "run"],
    holder_id: str,
    number: int,
    agent_id: str | None,
    tokens: int,
    lasts: timedelta,
    deps: Deps,
    day: AgentDay | None = None,
) -> Lease:
    """number: how many its holder had before."""
    now = deps.clock.now()
    lease = Lease(
        id=repository.lease_id(holder_id, number),
        workspace_id=tx.cause.workspace_id,
        holder=holder,
        holder_id=holder_id,
        agent_id=agent_id,
        budget_id=budget.id,
        day_id=day.id if day else None,
        tokens=tokens,
        expires_at=stamp(now + lasts),
        at=stamp(now),
    )
    repository.save_lease(tx, lease)
    if tokens:
        repository.save_budget(tx, lent(budget, tokens))
    if day is not None:
        repository.save_day(tx, lent(day, tokens))
    return lease


def on_tokens_used(event: TokensUsed, tx: Tx, deps: Deps) -> None:
    """One immutable entry per call id, with what the server reported; what was leased becomes spent."""
    lease = repository.find_lease(tx, event.lease_id)
    if lease is None:
        raise NotYet("The lease is not known yet.")
    if repository.is_counted(tx, event.call_id):
        return
    now = deps.clock.now()
    spent = event.input_tokens + event.output_tokens
    entry = UsageEntry(
        id=repository.usage_id(event.call_id),
        workspace_id=lease.workspace_id,
        agent_id=event.agent_id,
        conversation_id=event.conversation_id,
        run_id=event.run_id,
        model=event.model,
        input_tokens=event.input_tokens,
        output_tokens=event.output_tokens,
        cost_usd_micros=event.cost_usd_micros,
        priced=event.priced,
        at=stamp(now),
    )
    repository.add_usage(tx, entry)
    if event.agent_id is not None and spent:
        repository.add_to_month(tx, lease.workspace_id, event.agent_id, now, spent)
    repository.save_lease(tx, lease.but(spent_tokens=lease.spent_tokens + spent))
    covered = covered_by(lease, spent)
    day, budget = repository.find_day(tx, lease.day_id), repository.find_budget(tx, lease.budget_id)
    if budget is not None:
        budget = used(budget, covered, spent - covered)
        cost = budget.spent_usd_micros + event.cost_usd_micros
        unpriced = budget.unpriced_tokens + (0 if event.priced else spent)
        repository.save_budget(tx, budget.but(spent_usd_micros=cost, unpriced_tokens=unpriced))
    if day is not None:
        repository.save_day(tx, used(day, covered, spent - covered))


def on_lease_closed(event: LeaseClosed, tx: Tx, deps: Deps) -> None:
    lease = repository.find_lease(tx, event.lease_id)
    if lease is None:
        raise NotYet("The lease is not known yet.")
    if lease.spent_tokens < event.spent_tokens:
        raise NotYet("Not all that was spent is known yet.")
    _close(tx, lease)


def _close(tx: Tx, lease: Lease) -> None:
    if lease.status == "closed":
        return
    repository.save_lease(tx, lease.but(status="closed"))
    rest = max(0, lease.tokens - lease.spent_tokens)
    day = repository.find_day(tx, lease.day_id) if rest else None
    budget = repository.find_budget(tx, lease.budget_id) if rest else None
    if budget is not None:
        repository.save_budget(tx, freed(budget, rest))
    if day is not None:
        repository.save_day(tx, freed(day, rest))


def _recall(tx: Tx, lease: Lease) -> None:
    """A run is over. Who holds tokens may still be counting: only the holder can say that it is done."""
    if lease.tokens and lease.status == "open":
        tx.emit(LeaseRecalled(lease_id=lease.id))
    else:
        _close(tx, lease)


def on_run_finished(event: RunFinished, tx: Tx, deps: Deps) -> None:
    """Ask its lease back and write the run's line in the record: 0 tokens, measured time."""
    lease = repository.find_lease(tx, event.lease_id) if event.lease_id else None
    if lease is not None:
        _recall(tx, lease)
    entry = UsageEntry(
        id=derived("use", "run", event.run_id),
        workspace_id=tx.cause.workspace_id,
        agent_id=event.agent_id,
        conversation_id=event.conversation_id,
        run_id=event.run_id,
        cpu_ms=event.cpu_ms,
        wall_ms=event.wall_ms,
        at=stamp(deps.clock.now()),
    )
    repository.add_usage(tx, entry)


def on_run_parked(event: RunParked, tx: Tx, deps: Deps) -> None:
    """Nothing is held while a person thinks."""
    lease = repository.find_lease(tx, event.lease_id) if event.lease_id else None
    if lease is not None:
        _recall(tx, lease)


def on_time_ticked(event: TimeTicked, tx: Tx, deps: Deps) -> None:
    """Free leases whose holder never closed them. One per tick and commit; the next tick goes on."""
    now = deps.clock.now()
    for lease in repository.open_leases(tx):
        current = repository.find_lease(tx, lease.id)
        if current is not None and overdue(current, now):
            _close(tx, current)
            return


HANDLERS: Handlers = {
    MessageReceived: Quick(on_turn_wanted),
    TurnAwaited: Quick(on_turn_wanted),
    RunRequested: Quick(on_run_requested),
    RunFinished: Quick(on_run_finished),
    RunParked: Quick(on_run_parked),
    TokensUsed: Quick(on_tokens_used),
    LeaseClosed: Quick(on_lease_closed),
    TimeTicked: Quick(on_time_ticked, once=False),
}
