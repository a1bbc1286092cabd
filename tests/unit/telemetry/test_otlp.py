"""The exporter against a collector that speaks the real protocol: up, slow, down, refusing."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from shared.clock import SystemClock
from shared.telemetry.metrics import Meter
from shared.telemetry.otlp import OtlpExporter, Place, google
from shared.telemetry.trace import Span, Tracer
from tests.fakes.collector import Collector, collector, told
from tests.google import named

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
Made = Callable[[str], OtlpExporter]


@pytest.fixture
def meter() -> Meter:
    return Meter()


@pytest.fixture
def exporters(meter: Meter) -> Iterator[Made]:
    made: list[OtlpExporter] = []

    def make(endpoint: str) -> OtlpExporter:
        exporter = OtlpExporter(
            Place(endpoint, about={"cloud.region": "asia-northeast3"}),
            meter,
            SystemClock(),
            instance="instance_1",
            every_s=0.01,
            backoff_s=0.05,
            timeout_s=0.3,
        )
        exporter.start()
        made.append(exporter)
        return exporter

    yield make
    for exporter in made:
        exporter.close()


@pytest.fixture
def there() -> Iterator[Collector]:
    with collector() as found:
        yield found


def a_span(number: int = 1) -> Span:
    own = f"{PARENT[:36]}{number:016x}-01"
    about: dict[str, str | int] = {"event": "run.requested.v1", "tries": 2}
    return Span("ledger", "handle", own, PARENT, 10**18, 10**18 + 5_000_000, False, about)  # type: ignore[arg-type]  # a plain dict will do


def test_spans_arrive_with_service_parent_times_and_attributes(there: Collector, exporters: Made) -> None:
    exporters(there.endpoint).take(a_span())
    there.wait_for(spans=1)
    ((service, span),) = there.spans()
    assert service == "agentbuilder-ledger"
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (PARENT[3:35], PARENT[36:52])
    assert span.span_id.hex() == f"{1:016x}"
    assert span.name == "handle run.requested.v1"
    assert span.end_time_unix_nano - span.start_time_unix_nano == 5_000_000
    assert told(span.attributes) == {"ab.event": "run.requested.v1", "ab.tries": "2"}


def test_numbers_arrive_cumulative_and_say_where_they_come_from(
    there: Collector, exporters: Made, meter: Meter
) -> None:
    meter.add("ab_events_total", "ledger", "ack", by=7)
    meter.observe("ab_event_seconds", 0.002, "ledger")
    meter.level("ab_dead_letters", lambda: 2)
    exporters(there.endpoint)
    there.wait_for(metrics=1)
    found = there.metrics()
    (point,) = found["ab_events_total"].sum.data_points
    assert (point.as_double, told(point.attributes)) == (7, {"service": "ledger", "verdict": "ack"})
    assert found["ab_events_total"].sum.is_monotonic
    assert found["ab_event_seconds"].histogram.data_points[0].count == 1
    assert found["ab_dead_letters"].gauge.data_points[0].as_double == 2
    about = there.about()[0]
    assert (about["service.instance.id"], about["cloud.region"]) == ("instance_1", "asia-northeast3")


def test_what_is_left_is_sent_when_the_process_ends(there: Collector, exporters: Made) -> None:
    exporter = exporters(there.endpoint)
    for number in range(1, 1201):
        exporter.take(a_span(number))
    exporter.close()
    assert len(there.spans()) == 1200


def test_nothing_waits_for_a_collector_that_does_not_answer_and_the_newest_are_kept(
    there: Collector, exporters: Made, meter: Meter
) -> None:
    there.held.clear()
    exporter = exporters(there.endpoint)
    began = time.monotonic()
    for number in range(1, 9001):
        exporter.take(a_span(number))
    assert time.monotonic() - began < 2
    lost = next(point.value for point in meter.points() if point.name == "ab_spans_lost_total")
    assert lost >= 9000 - 4096 - 512

    there.held.set()
    there.wait_for(spans=4000)
    exporter.close()
    assert max(int(span.span_id.hex(), 16) for _, span in there.spans()) == 9000


def test_a_collector_that_comes_back_gets_what_was_kept_for_it(
    there: Collector, exporters: Made, caplog: pytest.LogCaptureFixture
) -> None:
    there.status = 503
    exporter = exporters(there.endpoint)
    exporter.take(a_span(1))
    there.wait_for(tries=3)
    assert there.spans() == []
    there.status = 200
    there.wait_for(spans=1)
    lines = [r.getMessage() for r in caplog.records if r.name == "shared.telemetry.otlp"]
    assert lines == [
        "the collector does not take what is sent to it (it answered 503); it will be tried again"
    ]


def test_what_a_collector_refuses_for_good_is_not_sent_again(
    there: Collector, exporters: Made, caplog: pytest.LogCaptureFixture
) -> None:
    there.status = 400
    exporter = exporters(there.endpoint)
    exporter.take(a_span(1))
    there.wait_for(tries=2)  # the spans, then the numbers
    there.status = 200
    exporter.take(a_span(2))
    there.wait_for(spans=1)
    assert [int(span.span_id.hex(), 16) for _, span in there.spans()] == [2]
    assert any("refused traces" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "http://no.such.host.invalid", "nonsense"])
def test_nobody_there_ends_at_once_and_costs_one_line(
    endpoint: str, exporters: Made, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    exporter = exporters(endpoint)
    tracer = Tracer("ledger", exporter)
    for _ in range(50):
        with tracer.span("handle", PARENT, {}):
            pass
    began = time.monotonic()
    exporter.close()
    assert time.monotonic() - began < 4
    assert len([r for r in caplog.records if r.name == "shared.telemetry.otlp"]) <= 1


def test_google_gets_them_signed_by_the_account_and_with_the_project(
    there: Collector, meter: Meter, tmp_path: Path
) -> None:
    key = account_key(tmp_path, there.endpoint + "/token")
    with named(GOOGLE_APPLICATION_CREDENTIALS=str(key)):
        place = google(there.endpoint, "shop-project", "asia-northeast3")
    assert place is not None
    exporter = OtlpExporter(place, meter, SystemClock(), instance="instance_1", every_s=0.01)
    exporter.start()
    exporter.take(a_span())
    there.wait_for(spans=1, metrics=1)
    exporter.close()
    assert set(there.signed) == {"Bearer made-here"}
    about = there.about()[0]
    assert (about["gcp.project_id"], about["cloud.region"]) == ("shop-project", "asia-northeast3")
    assert about["service.instance.id"]  # without it Google refuses the numbers


def test_without_an_account_nothing_is_sent_and_one_line_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with named(GOOGLE_APPLICATION_CREDENTIALS=str(tmp_path / "none.json")):
        assert google("http://127.0.0.1:9", "shop-project", "asia-northeast3") is None
    assert "traces and numbers go nowhere" in caplog.text


def account_key(folder: Path, token_uri: str) -> Path:
    """A service account's key, made for this test."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    about = {
        "type": "service_account",
        "client_email": "ab-ledger@shop-project.iam.gserviceaccount.com",
        "private_key": pem,
        "private_key_id": "1",
        "token_uri": token_uri,
    }
    path = folder / "account.json"
    path.write_text(json.dumps(about), encoding="ascii")
    return path
