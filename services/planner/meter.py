"""What is left of a lease, kept by its holder: reserve before a call, settle after it, never past the lease.

One document per lease. Decision 8 has the promise; `ports.Llm` says what each ending of a call used.
"""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, ConfigDict

from services.planner.ports import Usage
from services.planner.prices import cost_usd_micros
from shared.clock import Clock, moment
from shared.errors import NotFound, OverBudget
from shared.events.usage import LeaseClosed, TokensUsed
from shared.store.port import Cause, Reader, Store, Tx

METERS = "meters"


class Reservation(BaseModel):
    """turn: what the call is for; a second reservation for the same means that the first died on its way."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    turn: str
    model: str
    tokens: int


class Meter(BaseModel):
    """id = lease id. spent + all of `open` never pass `tokens`. `settled`: ids of calls already counted, so
    that none is counted twice."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    workspace_id: str
    agent_id: str | None = None
    conversation_id: str | None = None
    run_id: str | None = None
    tokens: int
    expires_at: str
    spent: int = 0
    open: dict[str, Reservation] = {}
    settled: tuple[str, ...] = ()
    closed: bool = False

    @property
    def left(self) -> int:
        return self.tokens - self.spent - sum(r.tokens for r in self.open.values())


def find_meter(reader: Reader | Tx, lease_id: str) -> Meter | None:
    document = reader.get(METERS, lease_id)
    return Meter.model_validate(document.data) if document else None


def save_meter(tx: Tx, meter: Meter) -> None:
    tx.put(METERS, meter.id, meter.model_dump(mode="json"))


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

    Raises: OverBudget when they do not fit, or the lease ends before the call must; NotFound without a meter.
    """
    found = find_meter(store, lease_id)
    if found is None:
        raise NotFound("There is no lease to pay this call from.", code="no_lease")

    def set_aside(tx: Tx) -> None:
        meter = find_meter(tx, lease_id)
        if meter is None or call_id in meter.open or call_id in meter.settled:
            return
        for lost in [id for id, held in meter.open.items() if held.turn == turn]:
            meter = _settled(tx, meter, lost, None)
        if meter.closed or moment(meter.expires_at) < clock.now() + timedelta(seconds=limit_s):
            save_meter(tx, meter)
            refused.append("late")
        elif tokens > meter.left:
            save_meter(tx, meter)
            refused.append("full")
        else:
            save_meter(tx, _with(meter, call_id, Reservation(turn=turn, model=model, tokens=tokens)))

    refused: list[str] = []
    store.transact(set_aside, cause=Cause(found.workspace_id, "service:planner"))
    if refused:
        raise OverBudget("What was set aside for this answer is used up.", code=f"lease_{refused[-1]}")


def settle(tx: Tx, lease_id: str, call_id: str, usage: Usage | None) -> Meter | None:
    """Counts what the call used, once, and says so to the ledger; None: unknown, so all that was reserved. The
    meter afterwards; None when there is none, or nothing was reserved under that id. Call it at most once a commit."""
    meter = find_meter(tx, lease_id)
    if meter is None or call_id not in meter.open:
        return None
    meter = _settled(tx, meter, call_id, usage)
    save_meter(tx, meter)
    return meter


def release(store: Store, lease_id: str, call_id: str) -> None:
    """The call was refused before it began: nothing was used."""

    def free(tx: Tx) -> None:
        meter = find_meter(tx, lease_id)
        if meter is not None and call_id in meter.open:
            save_meter(tx, meter.model_copy(update={"open": _without(meter, call_id)}))

    found = find_meter(store, lease_id)
    if found is not None:
        store.transact(free, cause=Cause(found.workspace_id, "service:planner"))


def closed(tx: Tx, meter: Meter) -> None:
    """No more calls from this lease. What is still open counts as spent; the rest is free again."""
    if meter.closed:
        return
    for call_id in list(meter.open):
        meter = _settled(tx, meter, call_id, None)
    save_meter(tx, meter.model_copy(update={"closed": True}))
    tx.emit(LeaseClosed(lease_id=meter.id, spent_tokens=meter.spent))


def close_lease(tx: Tx, lease_id: str | None) -> None:
    """As `closed`, by the lease's id; None and unknown ones are ignored."""
    meter = find_meter(tx, lease_id) if lease_id else None
    if meter is not None:
        closed(tx, meter)


def _settled(tx: Tx, meter: Meter, call_id: str, usage: Usage | None) -> Meter:
    held = meter.open[call_id]
    # Unknown use is written down as input: output costs more, but nobody can say that there was any.
    used = usage if usage is not None else Usage(input=held.tokens, output=0)
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
            cost_usd_micros=cost_usd_micros(held.model, used) or 0,
        )
    )
    return meter.model_copy(
        update={
            "spent": meter.spent + used.total,
            "open": _without(meter, call_id),
            "settled": (*meter.settled, call_id)[-200:],
        }
    )


def _with(meter: Meter, call_id: str, reservation: Reservation) -> Meter:
    return meter.model_copy(update={"open": {**meter.open, call_id: reservation}})


def _without(meter: Meter, call_id: str) -> dict[str, Reservation]:
    return {id: held for id, held in meter.open.items() if id != call_id}
