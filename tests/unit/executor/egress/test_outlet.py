"""A run whose way out is another process is served, seen and ended as one whose way out is here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from services.executor import repository
from services.executor.attempts.doors import door_of
from services.executor.attempts.remote_ways import RemoteWays
from services.executor.egress.model import SecretBinding
from services.executor.egress.writes import write_id
from shared.records.tapes import TapeContent
from shared.store.port import Query
from shared.telemetry.trace import Span, Tracer
from shared.telemetry.watching import Watching
from tests.unit.executor.egress.conftest import API, OTHER, World
from tests.unit.executor.egress.elsewhere import CLOCK, VALUE, Elsewhere, a_run

MARK = "ab-placeholder-aaaaaaaaaaaaaaaaaaaa"
KEY = SecretBinding("KEY", API, MARK)


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class KeptSpans:
    def __init__(self) -> None:
        self.spans: list[Span] = []

    def take(self, span: Span) -> None:
        self.spans.append(span)


@pytest.fixture
def elsewhere(world: World, tmp_path: Path) -> Iterator[Elsewhere]:
    made = Elsewhere(world, tmp_path)
    yield made
    made.close()


def test_what_the_code_does_there_is_heard_here(elsewhere: Elsewhere) -> None:
    recorder, process = elsewhere.recorder(), elsewhere.process()
    ca = elsewhere.open(recorder)

    with elsewhere.code(elsewhere.carrier(process), ca) as code:
        answer = code.get(elsewhere.world.url("/items"))
        refused = code.get(elsewhere.world.url("/x", OTHER))
    elsewhere.ways.close(recorder)

    assert (answer.text, refused.status_code) == ("ok /items", 403)
    assert {key: (seen.requests, seen.bytes_in > 0) for key, seen in recorder.hosts.items()} == {
        (API, "sent"): (1, True),
        (OTHER, "refused"): (1, False),
    }
    assert [(refusal.host, refusal.askable) for refusal in recorder.refusals] == [(OTHER, True)]


def test_what_leaves_there_is_in_the_runs_trace_and_nothing_of_what_was_said(elsewhere: Elsewhere) -> None:
    kept = KeptSpans()
    elsewhere.watching = Watching(Tracer("executor", kept))
    elsewhere.becomes(a_run(traceparent=TRACE))
    recorder, process = elsewhere.recorder(), elsewhere.process()
    ca = elsewhere.open(recorder)

    with elsewhere.code(elsewhere.carrier(process), ca) as code:
        code.get(elsewhere.world.url("/items?who=kim"), headers={"X-Mine": "kim"})
        code.get(elsewhere.world.url("/x", OTHER))
    elsewhere.ways.close(recorder)
    recorder.written_down("exited")

    *fetches, attempt = kept.spans
    assert (attempt.name, attempt.parent) == ("attempt", TRACE)
    assert [(span.name, span.parent) for span in fetches] == [("fetch", attempt.traceparent)] * 2
    assert {span.traceparent[3:35] for span in kept.spans} == {TRACE[3:35]}
    assert [span.attributes for span in fetches] == [
        {"host": API, "method": "GET", "status": 200, "verdict": "sent", "reason": ""},
        {
            "host": "(undeclared)",
            "method": "GET",
            "status": 403,
            "verdict": "refused",
            "reason": "undeclared_host",
        },
    ]
    assert all(span.began_ns <= span.ended_ns for span in fetches)


def test_the_tape_made_there_is_finished_here(elsewhere: Elsewhere) -> None:
    recorder, process = elsewhere.recorder(), elsewhere.process()
    ca = elsewhere.open(recorder)

    with elsewhere.code(elsewhere.carrier(process), ca) as code:
        for number in range(3):
            code.post(elsewhere.world.url("/echo"), data=f"body {number}")
    elsewhere.ways.close(recorder)

    content, bodies = taped(elsewhere, recorder.taped)
    assert [(entry.n, entry.method, entry.status) for entry in content.entries] == [
        (1, "POST", 200),
        (2, "POST", 200),
        (3, "POST", 200),
    ]
    assert bodies == [b"body 0", b"body 1", b"body 2"]


def taped(elsewhere: Elsewhere, of: Any) -> tuple[TapeContent, list[bytes]]:
    record = of.finish(1)
    assert record is not None
    assert record.complete
    tapes = elsewhere.side.tapes
    content = tapes.content(record)
    asked = [entry.request_body for entry in content.entries]
    return content, [tapes.body(record, address) for address in asked if address]


def test_a_secret_is_opened_there_only(elsewhere: Elsewhere) -> None:
    recorder, process = elsewhere.recorder(), elsewhere.process()
    ca = elsewhere.open(recorder, secrets=(KEY,))

    with elsewhere.code(elsewhere.carrier(process), ca) as code:
        answer = code.get(elsewhere.world.url("/echo"), headers={"Authorization": MARK})

    assert elsewhere.world.api.seen.requests[-1].headers["authorization"] == VALUE
    assert answer.json()["headers"]["authorization"] == MARK
    assert process.revealed == [("sec_1", API)]
    assert_nowhere_on_disk(elsewhere.folder, VALUE)


def assert_nowhere_on_disk(folder: Path, text: str) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    assert [path.name for path in files if text.encode() in path.read_bytes()] == []


def test_the_authority_and_the_decoys_are_written_down_sealed(elsewhere: Elsewhere) -> None:
    recorder = elsewhere.recorder()
    elsewhere.open(recorder, secrets=(KEY,))

    door = door_of(elsewhere.side.store, "att_1")
    assert door is not None
    plain = door.model_dump_json()
    assert "PRIVATE KEY" not in plain
    assert MARK not in plain
    assert [decoy.value in plain for decoy in recorder.decoys.decoys] == [False] * 3


def test_a_write_is_written_down_before_it_leaves(elsewhere: Elsewhere) -> None:
    recorder, process = elsewhere.recorder(), elsewhere.process()
    ca = elsewhere.open(recorder)

    with elsewhere.code(elsewhere.carrier(process), ca) as code:
        code.post(elsewhere.world.url("/echo"), data="order")
        assert [write.method for write in elsewhere.run().writes] == ["POST"]
    elsewhere.ways.close(recorder)

    assert recorder.wrote


def test_no_write_leaves_for_an_attempt_that_was_overtaken(elsewhere: Elsewhere) -> None:
    recorder, process = elsewhere.recorder(), elsewhere.process()
    ca = elsewhere.open(recorder)
    before = len(elsewhere.world.api.seen.requests)

    with elsewhere.code(elsewhere.carrier(process), ca) as code:
        code.get(elsewhere.world.url("/items"))
        elsewhere.becomes(elsewhere.run().but(attempt=2, attempt_id="att_2"))
        answer = code.post(elsewhere.world.url("/echo"), data="order")

    assert (answer.status_code, answer.json()["code"]) == (503, "not_begun")
    assert len(elsewhere.world.api.seen.requests) == before + 1


def test_a_rehearsal_shows_its_writes_and_lets_one_through_once(elsewhere: Elsewhere) -> None:
    elsewhere.becomes(a_run(kind="test"))
    recorder, process = elsewhere.recorder(), elsewhere.process()
    url = elsewhere.world.url("/echo")
    allowed = frozenset({write_id("POST", url, b"allowed")})
    ca = elsewhere.open(recorder, mode="rehearsal", allowed_writes=allowed)

    with elsewhere.code(elsewhere.carrier(process), ca) as code:
        statuses = [code.post(url, data=data).status_code for data in ("shown", "allowed", "allowed")]
    elsewhere.ways.close(recorder)

    assert statuses == [202, 200, 202]
    assert [shown["body"] for shown in recorder.would_send] == ["shown", "allowed"]


def test_what_one_process_let_through_another_does_not(elsewhere: Elsewhere) -> None:
    elsewhere.becomes(a_run(kind="test"))
    recorder, first = elsewhere.recorder(), elsewhere.process("out_1")
    url = elsewhere.world.url("/echo")
    allowed = frozenset({write_id("POST", url, b"allowed")})
    ca = elsewhere.open(recorder, mode="rehearsal", allowed_writes=allowed)

    with elsewhere.code(elsewhere.carrier(first), ca) as code:
        assert code.post(url, data="allowed").status_code == 200
    first.outlet.stop()
    with elsewhere.code(elsewhere.carrier(elsewhere.process("out_2")), ca) as code:
        assert code.post(url, data="allowed").status_code == 202
    elsewhere.ways.close(recorder)

    assert [(seen.verdict, seen.requests) for seen in recorder.hosts.values()] == [
        ("sent", 1),
        ("would_send", 1),
    ]
    content, _ = taped(elsewhere, recorder.taped)
    assert [(entry.n, entry.status) for entry in content.entries] == [(1, 200), (2, 202)]


def test_a_decoy_on_its_way_out_stops_the_attempt_while_it_runs(elsewhere: Elsewhere) -> None:
    recorder, process = elsewhere.recorder(), elsewhere.process()
    ca = elsewhere.open(recorder)
    stolen = recorder.decoys.decoys[0].value

    with elsewhere.code(elsewhere.carrier(process), ca) as code:
        answer = code.get(elsewhere.world.url("/"), headers={"X-Note": stolen})
        assert elsewhere.tripped.wait(20)

    assert answer.status_code == 403
    assert recorder.decoys.seen.startswith(f"request to {API}")


@pytest.mark.parametrize(
    "end", [lambda it, recorder: it.ways.close(recorder), lambda it, recorder: it.ways.forget("att_1")]
)
def test_the_end_cuts_what_is_under_way_and_lets_nobody_in(
    elsewhere: Elsewhere, end: Callable[[Elsewhere, Any], None]
) -> None:
    recorder, process = elsewhere.recorder(), elsewhere.process()
    ca = elsewhere.open(recorder)

    with elsewhere.code(carrier := elsewhere.carrier(process), ca) as code:
        code.get(elsewhere.world.url("/items"))
        end(elsewhere, recorder)
        with pytest.raises(requests.exceptions.RequestException):
            ask_for_ever(code, elsewhere.world.url("/items"))
        carrier.close()
    with (
        elsewhere.code(elsewhere.carrier(process), ca) as later,
        pytest.raises(requests.exceptions.ConnectionError),
    ):
        later.get(elsewhere.world.url("/items"))


def ask_for_ever(code: requests.Session, url: str) -> None:
    """The end comes a watch's delay later where nobody waits for it."""
    while True:
        code.get(url)


def test_nothing_is_left_when_the_attempt_is_written_down(elsewhere: Elsewhere) -> None:
    recorder, process = elsewhere.recorder(), elsewhere.process()
    ca = elsewhere.open(recorder)
    with elsewhere.code(elsewhere.carrier(process), ca) as code:
        code.get(elsewhere.world.url("/items"))

    elsewhere.ways.close(recorder)
    elsewhere.ways.remove("att_1")

    assert elsewhere.side.store.query(Query(repository.DOORS)) == []
    assert elsewhere.side.store.query(Query(repository.NOTES)) == []
    assert list((elsewhere.folder / "blobs").rglob("parts/**/out_1")) == []


def test_what_was_heard_too_late_is_news_to_who_takes_the_attempt_back(elsewhere: Elsewhere) -> None:
    """Two executors for a moment: the first reads a note when the second has the attempt, and then has it again."""
    lost = threading.Event()
    before, process = elsewhere.lasting("one", lambda recorder: lost.set()), elsewhere.process()
    ca = elsewhere.open(before)
    elsewhere.lasting("two", lambda recorder: None)
    with elsewhere.code(elsewhere.carrier(process), ca) as code:
        code.get(elsewhere.world.url("/items"))
    assert lost.wait(60), "it goes on hearing what another has"

    after = elsewhere.lasting("one", lambda recorder: None)
    elsewhere.ways.hear(after)
    elsewhere.ways.close(after)

    assert {key: seen.requests for key, seen in after.hosts.items()} == {(API, "sent"): 1}


@pytest.mark.parametrize(
    "change", [{"status": "cancelled"}, {"attempt": 2, "attempt_id": "att_2"}, {"grant_id": "grant_x"}]
)
def test_an_attempt_that_may_not_go_on_is_refused(elsewhere: Elsewhere, change: dict[str, Any]) -> None:
    recorder, process = elsewhere.recorder(), elsewhere.process()
    ca = elsewhere.open(recorder)
    elsewhere.becomes(elsewhere.run().but(**change))

    with (
        elsewhere.code(elsewhere.carrier(process), ca) as code,
        pytest.raises(requests.exceptions.ConnectionError),
    ):
        code.get(elsewhere.world.url("/items"))


def test_a_token_of_another_attempt_opens_only_its_own(elsewhere: Elsewhere) -> None:
    recorder, process = elsewhere.recorder(), elsewhere.process()
    ca = elsewhere.open(recorder)

    with (
        elsewhere.code(elsewhere.carrier(process, "att_9"), ca) as code,
        pytest.raises(requests.exceptions.ConnectionError),
    ):
        code.get(elsewhere.world.url("/items"))


def test_a_process_that_died_is_not_waited_for_for_ever(elsewhere: Elsewhere) -> None:
    recorder, process = elsewhere.recorder(), elsewhere.process()
    ca = elsewhere.open(recorder)
    with elsewhere.code(elsewhere.carrier(process), ca) as code:
        code.post(elsewhere.world.url("/echo"), data="order")
    elsewhere.died("out_0")

    RemoteWays(elsewhere.side.store, CLOCK, elsewhere.side.tapes, elsewhere.ring, drain_s=0.2).close(recorder)

    assert recorder.wrote
    assert recorder.taped.recording is not None
    assert not recorder.taped.recording.complete
