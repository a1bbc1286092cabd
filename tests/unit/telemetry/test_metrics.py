"""The numbers: a closed list, counted in memory, shown as text."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from shared.telemetry.metrics import BOUNDS_S, METRICS, Meter, prometheus
from tests.repo.tree import ROOT, under


def test_counters_without_labels_stand_at_zero_from_the_start() -> None:
    assert {point.name: point.value for point in Meter().points()} == {
        name: 0 for name, metric in METRICS.items() if metric.kind == "counter" and not metric.labels
    }


def test_points_are_told_apart_by_their_labels() -> None:
    meter = Meter()
    meter.add("ab_events_total", "ledger", "ack")
    meter.add("ab_events_total", "ledger", "ack")
    meter.add("ab_events_total", "ledger", "dead", by=3)
    found = {dict(p.labels)["verdict"]: p.value for p in meter.points() if p.name == "ab_events_total"}
    assert found == {"ack": 2, "dead": 3}


def test_times_fall_into_buckets_and_are_summed() -> None:
    meter = Meter()
    for seconds in (0.001, 0.002, 400.0):
        meter.observe("ab_event_seconds", seconds, "ledger")
    (point,) = (p for p in meter.points() if p.name == "ab_event_seconds")
    assert point.buckets == (1, 1, *[0] * (len(BOUNDS_S) - 2), 1)
    assert point.value == 400.003
    text = prometheus([point])
    assert 'ab_event_seconds_bucket{service="ledger",le="0.001"} 1\n' in text
    assert 'ab_event_seconds_bucket{service="ledger",le="+Inf"} 3\n' in text
    assert 'ab_event_seconds_count{service="ledger"} 3\n' in text


def test_a_label_gone_wild_does_not_fill_the_memory() -> None:
    meter = Meter()
    for n in range(2000):
        meter.add("ab_requests_total", f"{n}")
        meter.observe("ab_request_seconds", 1, f"{n}")
    assert len(meter.points()) <= 1000
    meter.add("ab_requests_total", "1")
    assert next(p.value for p in meter.points() if p.labels == (("status", "1"),) and not p.buckets) == 2


def test_a_gauge_that_cannot_be_read_hides_no_other() -> None:
    def broken() -> float:
        raise OSError("gone")

    meter = Meter()
    meter.level("ab_dead_letters", broken)
    meter.level("ab_gateway_streams_open", lambda: 4)
    assert "ab_gateway_streams_open 4\n" in prometheus(meter.points())


def test_every_number_is_counted_somewhere_with_its_labels_and_none_is_not_on_the_list() -> None:
    found = list(counted())
    assert {name for name, *_ in found} == set(METRICS)
    for name, method, labels in found:
        metric = METRICS[name]  # type: ignore[index]  # a name that is not there fails here
        assert {"add": "counter", "observe": "histogram", "level": "gauge"}[method] == metric.kind
        assert labels == len(metric.labels), name


def test_the_operators_page_names_every_number() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert [name for name in METRICS if f"`{name}`" not in page] == []


def counted() -> Iterator[tuple[str, str, int]]:
    """Name, method and number of label values of every call that counts."""
    for source in (*under("shared"), *under("services")):
        for node in ast.walk(ast.parse(source.text)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
                continue
            first = node.args[0]
            named = isinstance(first, ast.Constant) and isinstance(first.value, str)
            if node.func.attr in ("add", "observe", "level") and named:
                name = str(first.value) if isinstance(first, ast.Constant) else ""
                if name.startswith("ab_"):
                    before = 1 if node.func.attr == "add" else 2
                    yield name, node.func.attr, len(node.args) - before
