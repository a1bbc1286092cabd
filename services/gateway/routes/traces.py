"""What happened when in a run, and under which name the operator's tools know it."""

from __future__ import annotations

from typing import Literal

from services.gateway.model.traces import bars, left_out
from services.gateway.repository.shapes import DELIVERIES
from services.gateway.routes.answers import Answer, Api, ById, deps, scope
from services.gateway.routes.runs import run_of
from shared.records.gateway import Delivery
from shared.store.port import Where
from shared.telemetry.trace import trace_id

api = Api("traces")


class TraceBar(Answer):
    """One thing that took time. to_at null: it goes on; of a request null, `ms` says how long it took.

    kind   earlier: other attempts and the wait for a yes · funded: until its money was there · waited: for its turn
           or for room · prepared: its sandbox was made · code: the agent's own program · request: one of its requests
           · asked: a question waits for a person · collected: files taken, contract checked · delivery: one message
    name   host of a request, channel of a delivery; verdict: what became of it
    """

    kind: Literal[
        "earlier", "funded", "waited", "prepared", "code", "request", "asked", "collected", "delivery"
    ]
    from_at: str
    to_at: str | None
    name: str
    method: str
    status: int
    verdict: str
    ms: int | None


class RunTrace(Answer):
    """items: of the last attempt, in the order in which they began. more: requests that are not among them.
    trace_id: in the operator's tools; "" where nothing is traced."""

    items: tuple[TraceBar, ...]
    more: int
    trace_id: str


@api.get("/runs/<string:id>/trace", RunTrace)
def get_trace(path: ById) -> RunTrace:
    run = run_of(path.id)
    where = Where("run_id", "==", run.id)
    sent = scope().all(deps().store, DELIVERIES, Delivery, where, order_by="at", descending=False)
    return RunTrace(
        items=tuple(TraceBar.model_validate(vars(bar)) for bar in bars(run, sent)),
        more=left_out(run),
        trace_id=trace_id(run.traceparent),
    )
