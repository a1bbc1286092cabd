"""Asking a model: the way there for one attempt, and what a run has used of it so far."""

from __future__ import annotations

from collections.abc import Callable

from services.executor.egress.model_host import ModelDoor
from services.executor.egress.model_place import ModelPlace
from services.executor.model import attempt_of
from shared.records.executor import Run, RunUsage
from shared.records.planner import Meter
from shared.store.port import Query, Reader, Where
from shared.vault.run_tokens import Asking, RunTokens


def doors(place: ModelPlace, tokens: RunTokens) -> Callable[[Run], ModelDoor | None]:
    """How every run whose way out is this process finds the endpoint; None for a run that nothing has paid for."""

    def door(run: Run) -> ModelDoor | None:
        if run.lease_id is None:
            return None
        asking = Asking(
            workspace_id=run.workspace_id, run_id=run.id, attempt_id=attempt_of(run), lease_id=run.lease_id
        )
        return ModelDoor(place, lambda: tokens.mint(asking))

    return door


def model_use(run: Run, planner: Reader) -> RunUsage:
    """Of all its leases: parking takes a new one. A call still under way counts with all that was set aside."""
    found = planner.query(Query("meters", (Where("run_id", "==", run.id),), order_by="expires_at", limit=20))
    meters = [Meter.from_doc(document.data) for document in found]
    return RunUsage(
        input_tokens=sum(meter.input_tokens + meter.reserved for meter in meters),
        output_tokens=sum(meter.output_tokens for meter in meters),
        cost_usd_micros=sum(meter.cost_usd_micros for meter in meters),
        priced=all(meter.priced and not meter.open for meter in meters),
    )
