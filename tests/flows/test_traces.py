"""One trace from a request to a delivery, whatever happens on the way, and nothing of anybody's in it."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from shared.telemetry import logs
from tests.fakes.collector import Collector, collector, told
from tests.flows.house import PROFILE, House, new_house
from tests.flows.imports import LIVE_ONLY, agent_zip, allowed
from tests.flows.person import Answered, Person
from tests.flows.shops import Shops, Sink
from tests.flows.test_sentence import switched_on

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
Found = list[tuple[str, Span]]


@pytest.fixture
def there() -> Iterator[Collector]:
    with collector() as found:
        yield found


@pytest.fixture(params=[0, 11], ids=["in order", "doubled and shuffled"])
def traced(
    request: pytest.FixtureRequest, tmp_path: Path, there: Collector, shops: Shops, sink: Sink
) -> Iterator[House]:
    made = _told_to(tmp_path, there, (shops.port, sink.port), request.param)
    try:
        yield made.open()
    finally:
        made.close()


def _told_to(folder: Path, there: Collector, ports: tuple[int, ...], disorder: int) -> House:
    """Not yet open."""
    made = (
        new_house(folder / "data", open_ports=ports)
        if PROFILE
        else House(folder / "data", open_ports=ports, disorder=disorder)
    )
    made.environment["AB_OTLP_ENDPOINT"] = there.endpoint
    return made


def of_trace(there: Collector, trace_id: str) -> Found:
    """Each span once: a commit tried again tells its slot again, with the ids it had."""
    found = {
        span.span_id: (service, span) for service, span in there.spans() if span.trace_id.hex() == trace_id
    }
    return [*found.values()]


def is_whole(found: Found, outside: str = "") -> bool:
    """Every span hangs from another of the trace, but one: the root, or what hangs from the caller's span."""
    known = {span.span_id.hex() for _, span in found}
    roots = [span.parent_span_id.hex() for _, span in found if span.parent_span_id.hex() not in known]
    return roots == [outside]


@pytest.mark.deployed
def test_a_run_is_one_trace_from_its_slot_to_its_delivery(
    traced: House, there: Collector, shops: Shops, sink: Sink
) -> None:
    person = traced.person()
    run = traced.slot_run(person, switched_on(person, shops, sink))
    assert run["outcome"] == "delivered"
    steps = (
        ("scheduler", "slot"),
        ("ledger", "handle run.requested.v1"),
        ("executor", "handle run.requested.v1"),
        ("executor", "handle run.funded.v1"),
        ("executor", "work run.funded.v1"),
        ("executor", "attempt scheduled"),
        ("executor", "fetch"),
        ("executor", "handle run.attempt_ended.v1"),
        ("executor", "work run.attempt_ended.v1"),
        ("gateway", "handle delivery.requested.v1"),
        ("gateway", "work delivery.requested.v1"),
        ("executor", "handle delivery.settled.v1"),
        ("gateway", "handle run.settled.v1"),
    )
    # A run is told as ended before the last of them has heard of it.
    trace_id = run["traceparent"][3:35]
    there.wait_for(named=((f"agentbuilder-{service}", name) for service, name in steps), trace_id=trace_id)
    traced.close()

    found = of_trace(there, trace_id)
    names = Counter((service.removeprefix("agentbuilder-"), span.name) for service, span in found)
    for step in steps:
        assert names[step], (step, names)
    assert names["scheduler", "slot"] == names["executor", "attempt scheduled"] == 1
    assert is_whole(found)
    attempt = next(span for _, span in found if span.name == "attempt scheduled")
    fetches = [span for _, span in found if span.name == "fetch"]
    assert {span.parent_span_id for span in fetches} == {attempt.span_id}
    assert len(sink.bodies) == 1


@pytest.mark.deployed
def test_a_callers_trace_goes_on_in_the_run_it_asked_for(traced: House, there: Collector) -> None:
    person = traced.person()
    agent_id = allowed(person, agent_zip(LIVE_ONLY + "agent.deliver('inbox', 'done')\n"))["agent_id"]
    asked = person.call("POST", f"/api/v1/agents/{agent_id}/runs", {}, {"traceparent": CALLER})
    run = person.run(asked["id"])
    traced.close()

    assert run["traceparent"][3:35] == CALLER[3:35]
    found = of_trace(there, CALLER[3:35])
    assert is_whole(found, outside=CALLER[36:52])
    assert {"request /api/v1/agents/<string:id>/runs", "attempt manual"} <= {span.name for _, span in found}


@pytest.mark.deployed
def test_nothing_of_anybodys_is_in_spans_numbers_or_lines(
    tmp_path: Path, there: Collector, shops: Shops, sink: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    house = _told_to(tmp_path, there, (shops.port, sink.port), 0)
    try:
        person = house.open().person()
        planted = plant(house, person, shops, sink)
    finally:
        house.close()

    formatter = logs.ForCloudLogging("a-project")
    said = "\n".join(formatter.format(record) for record in caplog.records if record.name.startswith("s"))
    said += "".join(path.read_text(errors="replace") for path in house.folder.glob("*.stderr.txt"))
    sent = b"\n".join(there.bodies)
    assert there.spans()
    assert there.metrics()
    for words in planted:
        assert words.encode() not in sent, words
        assert words not in said, words
    abouts = [told(span.attributes) for _, span in there.spans()]
    hosts = {about["ab.host"] for about in abouts if "ab.host" in about}
    assert "(undeclared)" in hosts
    for about in abouts:
        assert "?" not in json.dumps(about)
        assert "/" not in about.get("ab.host", "")


def plant(house: House, person: Person, shops: Shops, sink: Sink) -> list[str]:
    """Lets a run with all kinds of private things happen, and says which."""
    code = (
        "import urllib.request\n"
        "print('planted-in-the-log')\n"
        "try:\n"
        "    urllib.request.urlopen('http://planted-undeclared-name.example.com/a?planted-query=1')\n"
        "except OSError: pass\n"
        "agent.deliver('inbox', 'planted-in-a-message')\n"
    )
    agent_id = allowed(person, agent_zip(LIVE_ONLY + code))["agent_id"]
    headers = {"X-Planted": "planted-header-value", "traceparent": "planted-traceparent"}
    body = {"input": "planted-input"}
    path = f"/api/v1/agents/{agent_id}/runs?planted-page-query=1"
    person.run(person.call("POST", path, body, headers)["id"])
    for address in ("/api/v1/planted-path/x", "/planted-page"):
        with suppress(Answered):
            person.call("GET", address)
    person.says("planted-in-a-conversation 매일 아침 9시에 알려 줘")
    switched_on(person, shops, sink)
    return [
        "planted-",
        "planted_",
        "매일 아침",
        sink.address.rpartition("/")[2],
        person._token,
        "나비",
    ]
