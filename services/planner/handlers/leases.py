"""Leases of runs whose code asks a model: the meter opens when the run is funded and closes when it is over. And what
conversations cost.
"""

from __future__ import annotations

from services.planner import meter as meters
from services.planner import repository
from services.planner.deps import Deps
from services.planner.handlers import messages
from services.planner.meter import Meter
from shared.errors import NotYet
from shared.events.clock import TimeTicked
from shared.events.run import RunFunded
from shared.events.usage import LeaseRecalled, TokensUsed
from shared.records.planner import Tokens
from shared.store.port import Tx


def on_run_funded(event: RunFunded, tx: Tx, deps: Deps) -> None:
    """Only of runs with tokens."""
    if meters.find_meter(tx, event.lease_id) is not None:
        return
    meter = Meter(
        id=event.lease_id,
        workspace_id=tx.cause.workspace_id,
        agent_id=event.agent_id,
        run_id=event.run_id,
        tokens=event.tokens,
        expires_at=event.expires_at,
    )
    meters.save_meter(tx, meter)


def on_lease_recalled(event: LeaseRecalled, tx: Tx, deps: Deps) -> None:
    meter = meters.find_meter(tx, event.lease_id)
    if meter is None:
        raise NotYet("The lease is not known here yet.")
    meters.retire(tx, meter)


def on_tokens_used(event: TokensUsed, tx: Tx, deps: Deps) -> None:
    """A conversation shows what the ledger has of it, from the same facts: also what calls cost that broke off, died
    or were overtaken."""
    conversation = repository.find_conversation(tx, event.conversation_id or "")
    if conversation is None:
        return
    before = conversation.tokens
    after = Tokens(
        input=before.input + event.input_tokens,
        output=before.output + event.output_tokens,
        cost_usd_micros=before.cost_usd_micros + event.cost_usd_micros,
        priced=before.priced and event.priced,
    )
    repository.put(tx, conversation.but(tokens=after))


def on_time_ticked(event: TimeTicked, tx: Tx, deps: Deps) -> None:
    """One meter in each commit: calls that died with their process are counted, what has expired is closed."""
    now = deps.clock.now()
    for found in meters.open_meters(tx):
        meter = meters.find_meter(tx, found.id)
        if meter is not None and not meter.closed and meters.sweep(tx, meter, now):
            break
    messages.on_time_ticked(event, tx, deps)
