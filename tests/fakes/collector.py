"""An OpenTelemetry collector that keeps what it gets: OTLP over HTTP with protobuf bodies, on a port of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector:
    """status: what it answers from now on. held: while clear it answers nobody. It also gives out Google's tokens,
    as oauth2.googleapis.com does for a service account's key; signed: the Authorization headers that came."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.status = 200
        self.held = threading.Event()
        self.held.set()
        self.bodies: list[bytes] = []
        self.paths: list[str] = []
        self.signed: list[str] = []
        self._changed = threading.Condition()
        self._traces: list[ExportTraceServiceRequest] = []
        self._metrics: list[ExportMetricsServiceRequest] = []

    def take(self, path: str, content_type: str, body: bytes) -> int:
        self.held.wait(30)
        with self._changed:
            self.paths.append(path)
            if self.status == 200 and content_type == "application/x-protobuf":
                self.bodies.append(body)
                if path == "/v1/traces":
                    self._traces.append(ExportTraceServiceRequest.FromString(body))
                elif path == "/v1/metrics":
                    self._metrics.append(ExportMetricsServiceRequest.FromString(body))
            self._changed.notify_all()
        return self.status if content_type == "application/x-protobuf" else 415

    def wait_for(
        self,
        spans: int = 0,
        tries: int = 0,
        metrics: int = 0,
        named: Iterable[tuple[str, str]] = (),
        trace_id: str = "",
        timeout_s: float = 20,
    ) -> None:
        """Until so much has come, and spans of these services and names in that trace; raises AssertionError when it
        does not."""
        awaited = set(named)
        with self._changed:
            enough = self._changed.wait_for(
                lambda: (
                    len(self._spans()) >= spans
                    and len(self.paths) >= tries
                    and len(self._metrics) >= metrics
                    and not awaited - self._names(trace_id)
                ),
                timeout_s,
            )
            missing = awaited - self._names(trace_id)
        assert enough, (
            f"{len(self._spans())} spans without {missing}, {len(self.paths)} tries, {len(self._metrics)} metrics"
        )

    def _names(self, trace_id: str) -> set[tuple[str, str]]:
        return {(service, span.name) for service, span in self._spans() if span.trace_id.hex() == trace_id}

    def spans(self) -> list[tuple[str, Span]]:
        """Each with the name of its service."""
        with self._changed:
            return self._spans()

    def _spans(self) -> list[tuple[str, Span]]:
        return [
            (told(resource.resource.attributes)["service.name"], span)
            for request in self._traces
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def metrics(self) -> dict[str, Metric]:
        """The newest of each name."""
        with self._changed:
            return {
                metric.name: metric
                for request in self._metrics
                for resource in request.resource_metrics
                for scope in resource.scope_metrics
                for metric in scope.metrics
            }

    def about(self) -> list[dict[str, str]]:
        """What each request said about its process."""
        with self._changed:
            return [
                told(r.resource.attributes) for request in self._metrics for r in request.resource_metrics
            ]


def told(attributes: Iterable[KeyValue]) -> dict[str, str]:
    return {pair.key: pair.value.string_value or str(pair.value.int_value) for pair in attributes}


@contextmanager
def collector() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/token":
                self._answer(
                    200, b'{"access_token": "made-here", "expires_in": 3600, "token_type": "Bearer"}'
                )
                return
            made.signed.append(self.headers.get("Authorization", ""))
            self._answer(made.take(self.path, self.headers.get("Content-Type", ""), body), b"")

        def _answer(self, status: int, body: bytes) -> None:
            with suppress(OSError):  # whoever asked may have gone meanwhile
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                self.wfile.flush()

        def log_message(self, format: str, *arguments: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made = Collector(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.held.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
