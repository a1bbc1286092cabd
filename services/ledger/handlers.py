"""Leases before anything is spent, the record after. All quick: store only."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from services.ledger import repository
from services.ledger.deps import Deps
from services.ledger.model import RUN_LASTS, TURN_LASTS, TURN_TOKENS, affordable, fits, overdue
from shared.bus.dispatch import Handlers, Quick
from shared.clock import stamp
from shared.errors import NotYet
from shared.events.clock import TimeTicked
from shared.events.conversation import MessageReceived, TurnAwaited, TurnFunded, TurnRefused
from shared.events.run import RunFinished, RunFunded, RunParked, RunRefused, RunRequested
from shared.events.usage import LeaseClosed, TokensUsed
from shared.ids import derived
from shared.records.ledger import Budget, Lease, UsageEntry
from shared.store.port import Tx


def on_turn_wanted(event: MessageReceived | TurnAwaited, tx: Tx, deps: Deps) -> None:
    """A lease for one answer: up to TURN_TOKENS, as much as the month still has."""
    now = deps.clock.now()
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
    lease = _lease(tx, budget, "turn", event.message_id, event.agent_id, tokens, TURN_LASTS, deps)
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
    """The whole per-run cap, or a refusal. Asked again after parking: the earlier lease is closed, a new one made."""
    budget = repository.budget_of(tx, tx.cause.workspace_id, deps.clock.now(), deps.month_tokens)
    if not fits(budget, event.tokens):
        reason = "이번 달 토큰 한도에 닿아 실행하지 않았어요. (This month's token cap is reached.)"
        tx.emit(RunRefused(run_id=event.run_id, reason=reason))
        return
    lease = _lease(tx, budget, "run", event.run_id, event.agent_id, event.tokens, RUN_LASTS, deps)
    tx.emit(
        RunFunded(run_id=event.run_id, lease_id=lease.id, tokens=lease.tokens, expires_at=lease.expires_at)
    )


def _lease(
    tx: Tx,
    budget: Budget,
    holder: Literal["turn", "run"],
    holder_id: str,
    agent_id: str | None,
    tokens: int,
    lasts: timedelta,
    deps: Deps,
) -> Lease:
    now = deps.clock.now()
    number = len(repository.leases_of(tx, holder_id))
    lease = Lease(
        id=repository.lease_id(holder_id, number),
        workspace_id=tx.cause.workspace_id,
        holder=holder,
        holder_id=holder_id,
        agent_id=agent_id,
        budget_id=budget.id,
        tokens=tokens,
        expires_at=stamp(now + lasts),
        at=stamp(now),
    )
    repository.save_lease(tx, lease)
    if tokens:
        repository.save_budget(tx, budget.but(leased_tokens=budget.leased_tokens + tokens))
    return lease


def on_tokens_used(event: TokensUsed, tx: Tx, deps: Deps) -> None:
    """One immutable entry per call id; what was leased becomes spent."""
    lease = repository.find_lease(tx, event.lease_id)
    if lease is None:
        raise NotYet("The lease is not known yet.")
    if repository.is_counted(tx, event.call_id):
        return
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
        at=stamp(deps.clock.now()),
    )
    repository.add_usage(tx, entry)
    repository.save_lease(tx, lease.but(spent_tokens=lease.spent_tokens + spent))
    budget = repository.find_budget(tx, lease.budget_id)
    if budget is not None:
        # A closed lease has given its rest back already, so only an open one turns leased into spent.
        leased = budget.leased_tokens - (
            min(spent, lease.tokens - lease.spent_tokens) if lease.status == "open" else 0
        )
        cost = budget.spent_usd_micros + event.cost_usd_micros
        repository.save_budget(
            tx,
            budget.but(
                leased_tokens=max(0, leased), spent_tokens=budget.spent_tokens + spent, spent_usd_micros=cost
            ),
        )


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
    budget = repository.find_budget(tx, lease.budget_id) if rest else None
    if budget is not None:
        repository.save_budget(tx, budget.but(leased_tokens=max(0, budget.leased_tokens - rest)))


def on_run_finished(event: RunFinished, tx: Tx, deps: Deps) -> None:
    """Close its lease and write the run's line in the record: 0 tokens, measured time."""
    lease = repository.find_lease(tx, event.lease_id) if event.lease_id else None
    if lease is not None:
        _close(tx, lease)
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
    open_ones = [lease for lease in repository.leases_of(tx, event.run_id) if lease.status == "open"]
    for lease in open_ones[:1]:
        current = repository.find_lease(tx, lease.id)
        if current is not None:
            _close(tx, current)


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
