"""The platform's numbers: a closed list, and the one object that counts. docs/metrics.md is written from here."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

CounterName = Literal[
    "ab_requests_total",
    "ab_events_total",
    "ab_ticks_total",
    "ab_claims_total",
    "ab_runs_total",
    "ab_deliveries_total",
    "ab_fetches_total",
    "ab_model_tokens_total",
    "ab_model_cost_usd_micros_total",
    "ab_spans_lost_total",
]
HistogramName = Literal[
    "ab_request_seconds",
    "ab_event_seconds",
    "ab_event_delay_seconds",
    "ab_claim_seconds",
    "ab_run_seconds",
]
GaugeName = Literal["ab_gateway_outbox_events", "ab_dead_letters", "ab_gateway_streams_open"]
MetricName = CounterName | HistogramName | GaugeName


@dataclass(frozen=True)
class Metric:
    """labels: their names, in the order in which values are given. A label's values are few and the platform's
    own: never an id, a host, an address or anything a person wrote."""

    kind: Literal["counter", "histogram", "gauge"]
    unit: str
    says: str
    labels: tuple[str, ...] = ()


METRICS: Mapping[MetricName, Metric] = {
    "ab_requests_total": Metric("counter", "1", "HTTP requests answered by the gateway.", ("status",)),
    "ab_request_seconds": Metric("histogram", "s", "Time until an answer began.", ("method",)),
    "ab_events_total": Metric(
        "counter", "1", "Events received, by what became of them: ack, retry, dead.", ("service", "verdict")
    ),
    "ab_event_seconds": Metric("histogram", "s", "Time to handle an event, commit included.", ("service",)),
    "ab_event_delay_seconds": Metric(
        "histogram", "s", "Between the commit of an event and its handling.", ("service",)
    ),
    "ab_ticks_total": Metric("counter", "1", "Ticks handled.", ("service",)),
    "ab_claims_total": Metric(
        "counter", "1", "Attempts at claims: done, again, failed, cut.", ("service", "outcome")
    ),
    "ab_claim_seconds": Metric("histogram", "s", "Time of one attempt at a claim.", ("service",)),
    "ab_runs_total": Metric("counter", "1", "Runs finished.", ("kind", "status")),
    "ab_run_seconds": Metric("histogram", "s", "Wall time of the code of finished runs.", ("kind",)),
    "ab_deliveries_total": Metric("counter", "1", "Deliveries settled.", ("status",)),
    "ab_fetches_total": Metric("counter", "1", "Requests that agents' code made.", ("verdict",)),
    "ab_model_tokens_total": Metric("counter", "1", "Tokens paid for, input and output.", ("direction",)),
    "ab_model_cost_usd_micros_total": Metric(
        "counter", "1", "Cost of model calls whose price is known, in millionths of a US dollar."
    ),
    "ab_spans_lost_total": Metric("counter", "1", "Spans that the collector did not take in time."),
    "ab_gateway_outbox_events": Metric(
        "gauge", "1", "Events of the gateway committed and not yet on the bus."
    ),
    "ab_dead_letters": Metric("gauge", "1", "Events that could not be handled and wait for an operator."),
    "ab_gateway_streams_open": Metric("gauge", "1", "Live views open now."),
}
BOUNDS_S = (0.001, 0.005, 0.025, 0.1, 0.5, 2.0, 10.0, 60.0, 300.0)
_MOST_SERIES = 500  # of all counters together; a defect in a label must not fill the memory


@dataclass(frozen=True)
class Point:
    """One series now. value: count or level; of a histogram the sum of all, with how many fell into each bucket
    (one more than BOUNDS_S)."""

    name: MetricName
    labels: tuple[tuple[str, str], ...]
    value: float
    buckets: tuple[int, ...] = ()


class Meter:
    """Counts in memory, for this process. Counters without labels stand at 0 from the start, so that their first
    step is seen as one. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, ...], float] = {
            (name,): 0 for name, metric in METRICS.items() if metric.kind == "counter" and not metric.labels
        }
        self._spread: dict[tuple[str, ...], list[float]] = {}
        self._gauges: dict[GaugeName, Callable[[], float]] = {}

    def add(self, name: CounterName, *labels: str, by: float = 1) -> None:
        """labels: a value for each of the metric's, in the list's order."""
        key = (name, *labels)
        with self._lock:
            known = self._counts.get(key)
            if known is None and len(self._counts) >= _MOST_SERIES:
                return
            self._counts[key] = (known or 0) + by

    def observe(self, name: HistogramName, seconds: float, *labels: str) -> None:
        key = (name, *labels)
        with self._lock:
            spread = self._spread.get(key)
            if spread is None:
                if len(self._spread) >= _MOST_SERIES:
                    return
                spread = self._spread[key] = [0.0] * (len(BOUNDS_S) + 2)
            spread[0] += seconds
            spread[1 + bisect_left(BOUNDS_S, seconds)] += 1

    def level(self, name: GaugeName, read: Callable[[], float]) -> None:
        """`read` is asked whenever somebody looks; it may take a moment, and what it raises leaves the point out."""
        self._gauges[name] = read

    def points(self) -> list[Point]:
        with self._lock:
            counts = dict(self._counts)
            spreads = {key: tuple(spread) for key, spread in self._spread.items()}
        points = [_point(key, value) for key, value in counts.items()]
        for key, spread in spreads.items():
            points.append(_point(key, spread[0], tuple(int(n) for n in spread[1:])))
        for name, read in self._gauges.items():
            try:
                points.append(Point(name, (), read()))
            except Exception:  # noqa: BLE001,S112  whatever is broken there must not hide the other numbers
                continue
        return sorted(points, key=lambda point: (point.name, point.labels))


def _point(key: tuple[str, ...], value: float, buckets: tuple[int, ...] = ()) -> Point:
    name: MetricName = key[0]  # type: ignore[assignment]  # `add` and `observe` take no other
    return Point(name, tuple(zip(METRICS[name].labels, key[1:], strict=True)), value, buckets)


def prometheus(points: Iterable[Point]) -> str:
    """Text exposition format. Source: prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4."""
    lines: list[str] = []
    told = ""
    for point in points:
        metric = METRICS[point.name]
        if told != point.name:
            lines += [f"# HELP {point.name} {metric.says}", f"# TYPE {point.name} {metric.kind}"]
            told = point.name
        if not point.buckets:
            lines.append(f"{point.name}{_braces(point.labels)} {point.value:g}")
            continue
        below = 0
        for bound, count in zip((*(f"{bound:g}" for bound in BOUNDS_S), "+Inf"), point.buckets, strict=True):
            below += count
            lines.append(f"{point.name}_bucket{_braces((*point.labels, ('le', bound)))} {below}")
        lines.append(f"{point.name}_sum{_braces(point.labels)} {point.value:g}")
        lines.append(f"{point.name}_count{_braces(point.labels)} {below}")
    return "\n".join(lines) + "\n"


def _braces(labels: tuple[tuple[str, str], ...]) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels) + "}" if labels else ""
