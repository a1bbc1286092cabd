"""What happened when in one run: bars for the page, from what its documents say. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from shared.records.executor import Run
from shared.records.gateway import Delivery

Kind = Literal["earlier", "funded", "waited", "prepared", "code", "request", "asked", "collected", "delivery"]


@dataclass(frozen=True)
class Bar:
    """to_at None: it goes on. host, method, status, verdict: of a request; name, verdict: channel and status of a
    delivery. ms: how long a request took, as measured."""

    kind: Kind
    from_at: str
    to_at: str | None
    name: str = ""
    method: str = ""
    status: int = 0
    verdict: str = ""
    ms: int | None = None


def bars(run: Run, deliveries: Iterable[Delivery]) -> tuple[Bar, ...]:
    """In the order in which they began. Of runs from before a time was kept the bars that need it are left out."""
    found = [*_until_the_code(run), *_the_code(run)]
    found += [
        Bar("delivery", d.at, d.settled_at, name=d.channel, verdict=d.status)
        for d in sorted(deliveries, key=lambda delivery: delivery.at)
    ]
    return tuple(found)


def left_out(run: Run) -> int:
    """Requests that were made and have no bar."""
    return max(0, sum(host.requests for host in run.hosts) - len(run.requests))


def _until_the_code(run: Run) -> Iterable[Bar]:
    over = run.finished_at
    if run.attempt > 1 and run.begun_at is not None:
        yield Bar("earlier", run.requested_at, run.begun_at)
    else:
        if run.funded_at is not None or run.status == "queued":
            yield Bar("funded", run.requested_at, run.funded_at or over)
        if run.funded_at is not None and (run.begun_at is not None or run.status == "queued"):
            yield Bar("waited", run.funded_at, run.begun_at or over)
    if run.begun_at is not None:
        yield Bar("prepared", run.begun_at, run.first_line_at or run.ended_at or over)


def _the_code(run: Run) -> Iterable[Bar]:
    over = run.finished_at
    if run.first_line_at is not None and (run.ended_at is not None or over is None):
        yield Bar("code", run.first_line_at, run.ended_at)
    for request in run.requests:
        yield Bar(
            "request",
            request.at,
            None,
            request.host,
            request.method,
            request.status,
            request.verdict,
            request.ms,
        )
    if run.ended_at is not None and run.status == "parked":
        yield Bar("asked", run.ended_at, None)
    elif run.ended_at is not None:
        yield Bar("collected", run.ended_at, over)
