"""Facts that are numbers, too: counted by the one service named here, once each, after they are committed."""

from __future__ import annotations

from shared.events.clock import TimeTicked
from shared.events.delivery import DeliverySettled
from shared.events.envelope import Event
from shared.events.run import RunFinished
from shared.events.usage import TokensUsed
from shared.telemetry.metrics import Meter


def count_fact(service: str, event: Event, meter: Meter) -> None:
    if isinstance(event, TimeTicked):
        meter.add("ab_ticks_total", service)
    elif isinstance(event, RunFinished) and service == "ledger":
        meter.add("ab_runs_total", event.kind, event.status)
        meter.observe("ab_run_seconds", event.wall_ms / 1000, event.kind)
    elif isinstance(event, DeliverySettled) and service == "executor":
        meter.add("ab_deliveries_total", event.status)
    elif isinstance(event, TokensUsed) and service == "ledger":
        meter.add("ab_model_tokens_total", "input", by=event.input_tokens)
        meter.add("ab_model_tokens_total", "output", by=event.output_tokens)
        meter.add("ab_model_cost_usd_micros_total", by=event.cost_usd_micros)
