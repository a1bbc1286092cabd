"""What a plan will cost, said before anybody allows it. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice, takewhile

from services.planner.prices import price_of
from shared.agentfile.model import AgentFile
from shared.agentfile.schedule import firings
from shared.records.planner import Estimate, Tokens

_MONTH = timedelta(days=30)
_EVERY_MINUTE = 30 * 24 * 60
# Decision: when a plan stands, about half of a build is spent; code, rehearsal and its reading are the other half.
_WHOLE_BUILD = 2
_ROUND = 1_000


def estimate(
    file: AgentFile, *, seconds: float, so_far: Tokens, model: str | None, now: datetime
) -> Estimate:
    """so_far: what the conversation has used. model: the one that runs would ask; None when there is no key. Of
    runs the most they may spend is said, all of it at the price of what a model writes."""
    caps = file.manifest.tokens
    per_month = caps.per_run * _runs(file, now) if caps.per_run else 0
    if caps.per_day:
        per_month = min(per_month, caps.per_day * _MONTH.days)
    price = price_of(model) if model else None
    build = -(-(so_far.input + so_far.output) * _WHOLE_BUILD // _ROUND) * _ROUND
    priced = (price is not None or not caps.per_run) and so_far.priced
    return Estimate(
        seconds_per_run=seconds,
        tokens_per_run=caps.per_run,
        tokens_build=build,
        tokens_per_month=per_month,
        cost_usd_micros_build=so_far.cost_usd_micros * _WHOLE_BUILD if priced else 0,
        cost_usd_micros_per_month=round(per_month * price.output) if priced and price is not None else 0,
        priced=priced,
    )


def _runs(file: AgentFile, now: datetime) -> int:
    """In the next thirty days; 0 for what only runs by hand."""
    if file.schedule is None:
        return 0
    coming = takewhile(lambda slot: slot <= now + _MONTH, firings(file.schedule, now))
    return sum(1 for _ in islice(coming, _EVERY_MINUTE))
