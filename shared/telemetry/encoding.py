"""Spans and numbers as messages of the OpenTelemetry protocol.

Source: github.com/open-telemetry/opentelemetry-proto, version 1 of traces and metrics.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, NumberDataPoint
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric as MetricMessage
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from shared.telemetry.metrics import BOUNDS_S, METRICS, Point
from shared.telemetry.trace import Span, SpanName, span_id, trace_id

_SCOPE = InstrumentationScope(name="agentbuilder")
_KINDS: Mapping[SpanName, SpanMessage.SpanKind.ValueType] = {
    "request": SpanMessage.SPAN_KIND_SERVER,
    "handle": SpanMessage.SPAN_KIND_CONSUMER,
    "fetch": SpanMessage.SPAN_KIND_CLIENT,
    "model": SpanMessage.SPAN_KIND_CLIENT,
}


def trace_request(spans: Sequence[Span], about: Mapping[str, str]) -> bytes:
    """about: attributes of this process; each service is a resource of its own."""
    request = ExportTraceServiceRequest()
    for service in sorted({span.service for span in spans}):
        resource = request.resource_spans.add(resource=_resource(service, about))
        scope = resource.scope_spans.add(scope=_SCOPE)
        scope.spans.extend(_span(span) for span in spans if span.service == service)
    return bytes(request.SerializeToString())


def metrics_request(points: Sequence[Point], about: Mapping[str, str], began_ns: int, now_ns: int) -> bytes:
    """Cumulative since `began_ns`."""
    request = ExportMetricsServiceRequest()
    scope = request.resource_metrics.add(resource=_resource("", about)).scope_metrics.add(scope=_SCOPE)
    for name in sorted({point.name for point in points}):
        series = [point for point in points if point.name == name]
        metric = METRICS[name]
        message = scope.metrics.add(name=name, unit=metric.unit, description=metric.says)
        for point in series:
            _add_point(message, metric.kind, point, began_ns, now_ns)
    return bytes(request.SerializeToString())


def _add_point(message: MetricMessage, kind: str, point: Point, began_ns: int, now_ns: int) -> None:
    labels = _attributes(dict(point.labels))
    if kind == "histogram":
        message.histogram.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
        message.histogram.data_points.add(
            attributes=labels,
            start_time_unix_nano=began_ns,
            time_unix_nano=now_ns,
            count=sum(point.buckets),
            sum=point.value,
            bucket_counts=point.buckets,
            explicit_bounds=BOUNDS_S,
        )
        return
    value = NumberDataPoint(
        attributes=labels, start_time_unix_nano=began_ns, time_unix_nano=now_ns, as_double=point.value
    )
    if kind == "gauge":
        message.gauge.data_points.append(value)
        return
    message.sum.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    message.sum.is_monotonic = True
    message.sum.data_points.append(value)


def _span(span: Span) -> SpanMessage:
    code = Status.STATUS_CODE_ERROR if span.failed else Status.STATUS_CODE_UNSET
    return SpanMessage(
        trace_id=bytes.fromhex(trace_id(span.traceparent)),
        span_id=bytes.fromhex(span_id(span.traceparent)),
        parent_span_id=bytes.fromhex(span_id(span.parent)),
        name=_title(span),
        kind=_KINDS.get(span.name, SpanMessage.SPAN_KIND_INTERNAL),
        start_time_unix_nano=span.began_ns,
        end_time_unix_nano=span.ended_ns,
        attributes=_attributes({f"ab.{name}": value for name, value in span.attributes.items()}),
        status=Status(code=code),
    )


def _title(span: Span) -> str:
    """What lists show: few, and none of them anybody's words."""
    more = span.attributes.get("event") or span.attributes.get("route") or span.attributes.get("kind")
    return f"{span.name} {more}" if more else span.name


def _resource(service: str, about: Mapping[str, str]) -> Resource:
    name = f"agentbuilder-{service}" if service else "agentbuilder"
    return Resource(attributes=_attributes({"service.name": name, **about}))


def _attributes(values: Mapping[str, str | int]) -> list[KeyValue]:
    return [
        KeyValue(
            key=key,
            value=AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=value),
        )
        for key, value in values.items()
    ]
