"""What is left of a lease, kept by its holder: reserve before a call, settle after it, never past the lease.

One document per lease. Decision 8 has the promise; `ports.Llm` says what each ending of a call used.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from services.planner.ports import Usage
from services.planner.prices import cost_usd_micros
from shared.clock import Clock, moment, stamp
from shared.errors import Conflict, NotFound, OverBudget
from shared.events.usage import LeaseClosed, TokensUsed
from shared.records.planner import Meter, Reservation
from shared.store.port import Cause, Query, Reader, Store, Tx, Where

__all__ = [
    "METERS",
    "Meter",
    "Reservation",
    "closed",
    "find_meter",
    "release",
    "reserve",
    "save_meter",
    "settle",
]

METERS = "meters"
QUERIES = (
    Query(METERS, (Where("closed", "==", False),), order_by="expires_at"),
    Query(METERS, (Where("run_id", "==", ""),), order_by="expires_at"),
)

_SETTLED_KEPT = 200
# Decision: a call that is this long past its limit died with its process; its answer is nobody's any more.
_LAPSE = timedelta(minutes=2)


def find_meter(reader: Reader | Tx, lease_id: str) -> Meter | None:
    document = reader.get(METERS, lease_id)
    return Meter.from_doc(document.data) if document else None


def save_meter(tx: Tx, meter: Meter) -> None:
    tx.put(METERS, meter.id, meter.to_doc())


def open_meters(reader: Reader | Tx, limit: int = 50) -> list[Meter]:
    """Those that end first."""
    found = reader.query(Query(METERS, (Where("closed", "==", False),), order_by="expires_at", limit=limit))
    return [Meter.from_doc(document.data) for document in found]


def reserve(
    store: Store,
    lease_id: str,
    call_id: str,
    *,
    turn: str,
    model: str,
    tokens: int,
    limit_s: float,
    clock: Clock,
) -> None:
    """Sets tokens aside in a commit of its own; nothing may be called before it returned. Again under the same
    call id: nothing more. What an earlier call for the same turn had set aside counts as spent.

    Raises: OverBudget when they do not fit, or the lease ends before the call must; NotFound without a meter;
    Conflict when the call of that id is over: its tokens are spent, and another one needs an id of its own.
    """
    found = find_meter(store, lease_id)
    if found is None:
        raise NotFound("There is no lease to pay this call from.", code="no_lease")

    def set_aside(tx: Tx) -> Literal["", "late", "full", "settled"]:
        meter = find_meter(tx, lease_id)
        if meter is None or call_id in meter.settled:
            return "settled"
        if meter.held(call_id):
            return ""
        lost = [held.call_id for held in meter.open if held.turn == turn]
        for id in lost:
            meter = _settled(tx, meter, id, None)
        until = clock.now() + timedelta(seconds=limit_s)
        late = meter.closed or meter.closing or moment(meter.expires_at) < until
        refused: Literal["", "late", "full"] = "late" if late else "full" if tokens > meter.left else ""
        if not refused:
            held = Reservation(call_id=call_id, turn=turn, model=model, tokens=tokens, until=stamp(until))
            meter = meter.model_copy(update={"open": (*meter.open, held)})
        if lost or not refused:
            save_meter(tx, meter)
        return refused

    refused = store.transact(set_aside, cause=_cause(found))
    if refused == "settled":
        raise Conflict("This call is over; another one needs an id of its own.", code="call_over")
    if refused:
        raise OverBudget("What was set aside for this answer is used up.", code=f"lease_{refused}")


def settle(tx: Tx, lease_id: str, call_id: str, usage: Usage | None) -> Meter | None:
    """Counts what the call used, once, and says so to the ledger; None: unknown, so all that was reserved. The
    meter afterwards; None when there is none, or nothing was reserved under that id. Call it at most once a commit.

    A server may report more than the call was given. All of it is counted, so that the record says what the
    server said; the meter is then at its end the sooner.
    """
    meter = find_meter(tx, lease_id)
    if meter is None or meter.held(call_id) is None:
        return None
    meter = _ended(tx, _settled(tx, meter, call_id, usage))
    save_meter(tx, meter)
    return meter


def release(store: Store, lease_id: str, call_id: str) -> None:
    """The call was refused before it began: nothing was used."""

    def free(tx: Tx) -> None:
        meter = find_meter(tx, lease_id)
        if meter is not None and meter.held(call_id):
            save_meter(tx, _ended(tx, _without(meter, call_id)))

    found = find_meter(store, lease_id)
    if found is not None:
        store.transact(free, cause=_cause(found))


def closed(tx: Tx, meter: Meter) -> None:
    """No more calls from this lease. What is still open counts as spent; the rest is free again."""
    if meter.closed:
        return
    for held in meter.open:
        meter = _settled(tx, meter, held.call_id, None)
    save_meter(tx, _ended(tx, meter.model_copy(update={"closing": True})))


def close_lease(tx: Tx, lease_id: str | None) -> None:
    """As `closed`, by the lease's id; None and unknown ones are ignored."""
    meter = find_meter(tx, lease_id) if lease_id else None
    if meter is not None:
        closed(tx, meter)


def retire(tx: Tx, meter: Meter) -> None:
    """No more calls from this lease, but those under way are still counted as they end; the last one closes it."""
    if not meter.closed and not meter.closing:
        save_meter(tx, _ended(tx, meter.model_copy(update={"closing": True})))


def sweep(tx: Tx, meter: Meter, now: datetime) -> bool:
    """Counts calls whose process must have died, and closes what has expired. Whether anything was written."""
    if moment(meter.expires_at) < now:
        closed(tx, meter)
        return True
    died = [held for held in meter.open if held.until and moment(held.until) + _LAPSE < now]
    for held in died:
        meter = _settled(tx, meter, held.call_id, None)
    if died:
        save_meter(tx, _ended(tx, meter))
    return bool(died)


def _ended(tx: Tx, meter: Meter) -> Meter:
    """Closed, when it was only waiting for its last call."""
    if meter.closed or not meter.closing or meter.open:
        return meter
    tx.emit(LeaseClosed(lease_id=meter.id, spent_tokens=meter.spent))
    return meter.model_copy(update={"closed": True})


def _settled(tx: Tx, meter: Meter, call_id: str, usage: Usage | None) -> Meter:
    held = meter.held(call_id)
    if held is None:
        return meter
    # Unknown use is written down as input: output costs more, but nobody can say that there was any.
    used = usage if usage is not None else Usage(input=held.tokens, output=0)
    cost = cost_usd_micros(held.model, used)
    tx.emit(
        TokensUsed(
            lease_id=meter.id,
            call_id=call_id,
            model=held.model,
            agent_id=meter.agent_id,
            conversation_id=meter.conversation_id,
            run_id=meter.run_id,
            input_tokens=used.total - used.output,
            output_tokens=used.output,
            cost_usd_micros=cost or 0,
            priced=cost is not None,
        )
    )
    return _without(meter, call_id).model_copy(
        update={
            "spent": meter.spent + used.total,
            "input_tokens": meter.input_tokens + used.total - used.output,
            "output_tokens": meter.output_tokens + used.output,
            "cost_usd_micros": meter.cost_usd_micros + (cost or 0),
            "priced": meter.priced and cost is not None,
            "settled": (*meter.settled, call_id)[-_SETTLED_KEPT:],
        }
    )


def _without(meter: Meter, call_id: str) -> Meter:
    return meter.model_copy(update={"open": tuple(held for held in meter.open if held.call_id != call_id)})


def _cause(meter: Meter) -> Cause:
    return Cause(meter.workspace_id, "service:planner")
