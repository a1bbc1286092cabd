"""Traces and numbers to a collector, or to Google: OTLP over HTTP, one thread, nothing that anybody waits for.

Needs `opentelemetry-proto`; loaded only where something is sent (shared/runtime/profiles/outlook.py).
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import requests

from shared.clock import Clock
from shared.telemetry.encoding import metrics_request, trace_request
from shared.telemetry.metrics import Meter
from shared.telemetry.trace import Span

_QUEUED = 4096  # spans: a hundred runs; what comes when there are as many is lost, and counted
_BATCH = 512
_EVERY_S = 2.0
_METRICS_EVERY_S = 60.0
_TIMEOUT_S = 5.0  # of one request; a collector that is slower than that loses spans, never the service
_LAST_S = 3.0  # to send what is left when the process ends
_BACKOFF_S = 30.0

log = logging.getLogger(__name__)


class Session(Protocol):
    """As `requests.Session`; Google's signs each request."""

    def post(
        self, url: str, *, data: bytes, headers: Mapping[str, str], timeout: float
    ) -> requests.Response: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Place:
    """endpoint: without /v1/…. about: what is said about this process with everything that is sent."""

    endpoint: str
    session: Session = field(default_factory=requests.Session)
    about: Mapping[str, str] = field(default_factory=dict)


def google(endpoint: str, project: str, region: str) -> Place | None:
    """Google's own endpoint, with the account this process runs as; None where it runs as none.

    Source: docs.cloud.google.com/stackdriver/docs/reference/telemetry (endpoint, scopes, and that a point without
    `location` and `instance` is refused)."""
    import google.auth
    import google.auth.exceptions
    from google.auth.transport.requests import AuthorizedSession

    try:
        credentials, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
    except google.auth.exceptions.DefaultCredentialsError:
        log.warning("traces and numbers go nowhere: this process runs as no account of Google's")
        return None
    about = {"gcp.project_id": project, "cloud.platform": "gcp_cloud_run", "cloud.region": region}
    signing: Session = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]  # google-auth has no types
    return Place(endpoint, signing, about)


class OtlpExporter:
    """The sink of all tracers of a process. `take` never waits; while the collector does not answer the oldest
    spans give way to new ones. Numbers are cumulative, so a lost sending of them costs nothing."""

    def __init__(
        self,
        place: Place,
        meter: Meter,
        clock: Clock,
        *,
        instance: str = "",
        every_s: float = _EVERY_S,
        backoff_s: float = _BACKOFF_S,
        timeout_s: float = _TIMEOUT_S,
    ) -> None:
        self._place = place
        self._about = {"service.instance.id": instance, **place.about}
        self._meter = meter
        self._clock = clock
        self._every_s = every_s
        self._backoff_s = backoff_s
        self._timeout_s = timeout_s
        self._began_ns = _ns(clock)
        self._spans: deque[Span] = deque()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._trouble = False
        self._thread = threading.Thread(target=self._run, name="otlp", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def take(self, span: Span) -> None:
        with self._lock:
            lost = len(self._spans) >= _QUEUED
            if lost:
                self._spans.popleft()
            self._spans.append(span)
        if lost:
            self._meter.add("ab_spans_lost_total")

    def close(self) -> None:
        """Sends what is left, for at most a few seconds. May be called twice."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(_LAST_S)

    def _run(self) -> None:
        metrics_at = 0.0
        pause = self._every_s
        while not self._clock.wait(self._stopping, pause):
            sent = self._send_spans()
            if sent and self._clock.monotonic() >= metrics_at:
                sent = self._send_metrics()
                metrics_at = self._clock.monotonic() + _METRICS_EVERY_S
            pause = self._every_s if sent else self._backoff_s
        if not self._trouble and self._send_spans():
            self._send_metrics()
        self._place.session.close()

    def _send_spans(self) -> bool:
        """False: not all could be sent, and what could not is kept, as far as there is room."""
        while batch := self._batch():
            if not self._post("traces", trace_request(batch, self._about)):
                with self._lock:
                    room = max(0, _QUEUED - len(self._spans))
                    self._spans.extendleft(reversed(batch[len(batch) - min(room, len(batch)) :]))
                self._meter.add("ab_spans_lost_total", by=max(0, len(batch) - room))
                return False
        return True

    def _batch(self) -> Sequence[Span]:
        with self._lock:
            return [self._spans.popleft() for _ in range(min(_BATCH, len(self._spans)))]

    def _send_metrics(self) -> bool:
        points = self._meter.points()
        return self._post("metrics", metrics_request(points, self._about, self._began_ns, _ns(self._clock)))

    def _post(self, signal: str, body: bytes) -> bool:
        """False: try again later. A request that was understood and refused is not sent again."""
        url = f"{self._place.endpoint.rstrip('/')}/v1/{signal}"
        headers = {"Content-Type": "application/x-protobuf"}
        try:
            status = self._place.session.post(
                url, data=body, headers=headers, timeout=self._timeout_s
            ).status_code
        except Exception as error:  # noqa: BLE001  requests' errors and google-auth's; none may end the thread
            return self._note(f"{type(error).__name__}")
        if status == 429 or status >= 500:
            return self._note(f"it answered {status}")
        if status >= 300:
            log.warning("the collector refused %s: it answered %s", signal, status)
            return True
        self._trouble = False
        return True

    def _note(self, what: str) -> bool:
        """Once per trouble: this line would otherwise come every half minute."""
        if not self._trouble:
            log.warning("the collector does not take what is sent to it (%s); it will be tried again", what)
        self._trouble = True
        return False


def _ns(clock: Clock) -> int:
    return round(clock.now().timestamp() * 1e6) * 1000
