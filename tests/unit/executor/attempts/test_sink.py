"""An attempt's signs of life: numbered without gaps, believed only as claims, and never too large to keep."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from services.executor import repository
from services.executor.attempts.decoys import DecoyWatch
from services.executor.attempts.sink import AttemptRecorder
from services.executor.egress.model import Exchange, PracticeSetting
from services.executor.model import AttemptResult
from services.executor.ports import Ended, Usage
from services.executor.tapes.chance import Chance
from services.executor.tapes.taped import Subject, Taped
from shared.clock import FakeClock, stamp
from shared.events.run import RunStarted
from shared.ids import SeededIds
from shared.records.executor import Run
from shared.store.port import MAX_DOCUMENT_BYTES, Cause, Query, body_text
from shared.store.sqlite import SqliteDatabases, SqliteStore
from shared.telemetry.watching import Watching

EXCHANGE = Exchange(
    run_id="att_1",
    at_ms=0,
    scheme="https",
    host="shop.example.com",
    port=443,
    method="GET",
    path="/new",
    status=200,
    bytes_out=10,
    bytes_in=100,
    duration_ms=5,
    effect="read",
    verdict="sent",
)


@dataclass
class Heard:
    """A recorder with its store, and how often it asked for a flush."""

    store: SqliteStore
    recorder: AttemptRecorder
    buffered: list[int]
    ends: list[Ended]

    def entries(self) -> list[tuple[str, dict[str, Any]]]:
        found = self.store.query(Query(repository.ENTRIES, order_by="seq", limit=1000))
        assert [document.data["seq"] for document in found] == list(range(1, len(found) + 1))
        return [(document.data["kind"], document.data["data"]) for document in found]

    def run(self) -> Run:
        return repository.Runs(self.store).get("run_1")

    def result(self) -> AttemptResult:
        """As it would be written down."""
        recorder = self.recorder
        return AttemptResult(
            id=recorder.attempt_id,
            run_id="run_1",
            workspace_id="wsp_one",
            number=1,
            reason="exited",
            exit_code=0,
            deliveries=tuple(recorder.deliveries),
            refusals=tuple(recorder.refusals),
            would_send=tuple(recorder.would_send),
            hosts=tuple(recorder.hosts.values()),
        )


def a_run(**more: Any) -> Run:
    now = stamp(FakeClock().now())
    return Run.model_validate(
        {
            "id": "run_1",
            "workspace_id": "wsp_one",
            "agent_id": "agent_1",
            "version_id": "ver_1",
            "kind": "manual",
            "status": "queued",
            "attempt": 1,
            "attempt_id": "att_1",
            "requested_at": now,
            "deadline_at": now,
            **more,
        }
    )


def untaped() -> Taped:
    subject = Subject("ver_1", "env_1", "off", PracticeSetting(), "ko")
    return Taped(a_run(), subject, Chance(bytes(32)), FakeClock())


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[Heard]:
    clock = FakeClock()
    databases = SqliteDatabases(tmp_path, clock, SeededIds())
    store = databases.own("executor")
    run, buffered, ends = a_run(), [], []
    store.transact(lambda tx: repository.save_run(tx, run), cause=Cause("wsp_one", "agent:agent_1"))
    recorder = AttemptRecorder(
        run,
        store,
        clock,
        DecoyWatch((), lambda: None),
        untaped(),
        Watching(),
        on_buffered=lambda: buffered.append(1),
        on_ended=lambda _, ended: ends.append(ended),
    )
    yield Heard(store, recorder, buffered, ends)
    databases.close()


def becomes(heard: Heard, **more: Any) -> None:
    run = heard.run().but(**more)
    heard.store.transact(lambda tx: repository.save_run(tx, run), cause=Cause("wsp_one", "agent:agent_1"))


def test_the_first_line_makes_the_run_running_and_says_so_once(heard: Heard) -> None:
    heard.recorder.first_line()
    heard.recorder.first_line()
    assert heard.run().status == "running"
    assert heard.run().started_at == heard.run().first_line_at
    assert heard.entries() == [("status", {"status": "running", "attempt": 1})]
    assert [e.type for e in heard.store.outbox(10)] == [RunStarted.type()]


@pytest.mark.parametrize("change", [{"attempt_id": "att_2", "attempt": 2}, {"status": "cancelled"}])
def test_the_first_line_of_an_old_attempt_or_of_a_run_that_is_over_changes_nothing(
    heard: Heard, change: dict[str, Any]
) -> None:
    becomes(heard, **change)
    before = heard.run()
    heard.recorder.first_line()
    assert heard.run() == before
    assert heard.store.outbox(10) == []


def test_pieces_of_one_stream_become_one_entry_and_order_is_kept(heard: Heard) -> None:
    heard.recorder.log("stdout", b"one ")
    heard.recorder.log("stdout", "둘".encode())
    heard.recorder.log("stderr", b"three")
    heard.recorder.log("stdout", b"four")
    assert len(heard.buffered) == 4
    assert heard.entries() == []
    assert heard.recorder.pending()
    heard.recorder.flush()
    assert not heard.recorder.pending()
    assert [data["text"] for _, data in heard.entries()] == ["one 둘", "three", "four"]
    heard.recorder.flush()
    assert len(heard.entries()) == 3


def test_bytes_that_are_no_text_and_nul_are_replaced(heard: Heard) -> None:
    heard.recorder.log("stdout", b"a\xff\x00b")
    heard.recorder.flush()
    assert heard.entries()[0][1]["text"] == "a\ufffd\ufffdb"


def test_much_output_is_written_without_waiting(heard: Heard) -> None:
    heard.recorder.log("stdout", b"x" * (64 << 10))
    assert len(heard.entries()) == 1


def test_a_step_is_written_at_once_behind_what_was_printed_before_it(heard: Heard) -> None:
    heard.recorder.log("stdout", b"before")
    heard.recorder.report({"kind": "step", "name": "가격 수집"})
    assert [kind for kind, _ in heard.entries()] == ["log", "step"]
    assert heard.entries()[1][1] == {"name": "가격 수집"}


def test_steps_are_cut_in_length_and_number(heard: Heard) -> None:
    for _ in range(510):
        heard.recorder.report({"kind": "step", "name": "x" * 999})
    steps = [data["name"] for kind, data in heard.entries() if kind == "step"]
    assert len(steps) == 500
    assert {len(name) for name in steps} == {200}


@pytest.mark.parametrize(
    "entry",
    [
        {"kind": "step", "name": "\ud800 half a character"},
        {"kind": "step", "name": "nul \0"},
        {"kind": "step", "name": {"not": ["a", "text"]}},
        {"kind": "step"},
        {"kind": "deliver", "channel": "\udfff", "text": "\ud83d", "files": ["\ud800"]},
        {"kind": "deliver", "channel": 7, "text": None, "files": "outputs/a"},
        {"kind": "status", "status": "succeeded"},
        {"kind": ["step"]},
    ],
)
def test_an_odd_claim_hurts_nothing(heard: Heard, entry: dict[str, Any]) -> None:
    heard.recorder.report(json.loads(json.dumps(entry)))
    heard.recorder.flush()
    body_text(heard.result().model_dump(mode="json"))
    assert heard.run().status == "queued"
    for _, data in heard.entries():
        assert "\0" not in data["name"]


def test_deliveries_are_held_under_ids_that_follow_from_the_run(heard: Heard) -> None:
    for text in ("하나", "둘"):
        heard.recorder.report({"kind": "deliver", "channel": "slack", "text": text, "files": ["a.xlsx"]})
    one, two = heard.recorder.deliveries
    assert (one.text, one.channel, one.files, one.status) == ("하나", "slack", ("a.xlsx",), "held")
    assert one.id != two.id
    again = AttemptRecorder(
        a_run(attempt=2, attempt_id="att_2"),
        heard.store,
        FakeClock(),
        DecoyWatch((), lambda: None),
        untaped(),
        Watching(),
        on_buffered=lambda: None,
        on_ended=lambda *_: None,
    )
    again.report({"kind": "deliver", "channel": "slack", "text": "하나"})
    assert again.deliveries[0].id == one.id, "another attempt's message is the same message"


def test_more_messages_than_may_be_sent_at_once_are_a_problem_the_run_hears_of(heard: Heard) -> None:
    for _ in range(20):
        heard.recorder.report({"kind": "deliver", "channel": "inbox", "text": "x"})
    assert heard.recorder.problems == []
    for _ in range(3):
        heard.recorder.report({"kind": "deliver", "channel": "inbox", "text": "x"})
    assert len(heard.recorder.deliveries) == 20
    assert len(heard.recorder.problems) == 1


@pytest.mark.parametrize("character", [b"x", b"\xff", b"\x01", b'"', "가".encode()])
def test_texts_and_bodies_together_stay_small_enough_to_be_kept(heard: Heard, character: bytes) -> None:
    for _ in range(20):
        text = (character * 65_000)[:65_000].decode(errors="replace")
        heard.recorder.report({"kind": "deliver", "channel": "inbox", "text": text})
        write = replace(EXCHANGE, verdict="would_send", method="POST", body_preview=character * 30_000)
        heard.recorder.exchange(write)
        heard.recorder.exchange(
            replace(EXCHANGE, verdict="refused", reason="undeclared_host", path="/" + "가" * 4000)
        )
    assert heard.recorder.problems
    assert len(body_text(heard.result().model_dump(mode="json")).encode()) < MAX_DOCUMENT_BYTES
    assert len(heard.recorder.would_send) == 20, "each is shown, if only by its address"


def test_the_gateways_exchanges_are_summed_by_host_and_verdict(heard: Heard) -> None:
    for _ in range(3):
        heard.recorder.exchange(EXCHANGE)
    heard.recorder.exchange(replace(EXCHANGE, verdict="refused", reason="undeclared_path", bytes_out=0))
    sent, refused = heard.recorder.hosts.values()
    assert (sent.requests, sent.bytes_in, sent.bytes_out) == (3, 300, 30)
    assert (refused.verdict, refused.requests) == ("refused", 1)
    heard.recorder.flush()
    assert [kind for kind, _ in heard.entries()] == ["host", "host"], (
        "one entry for each, not for each request"
    )


@pytest.mark.parametrize(
    ("reason", "askable"),
    [("undeclared_host", True), ("address_refused", False), ("not_a_name", False), ("malformed", None)],
)
def test_only_what_was_reached_for_in_vain_is_remembered_as_a_question(
    heard: Heard, reason: str, askable: bool | None
) -> None:
    heard.recorder.exchange(replace(EXCHANGE, verdict="refused", reason=reason))
    assert [refusal.askable for refusal in heard.recorder.refusals] == ([] if askable is None else [askable])


def test_a_write_is_written_down_before_it_leaves(heard: Heard) -> None:
    heard.recorder.before_write("POST https://shop.example.com/order")
    assert heard.run().wrote
    assert heard.recorder.wrote


def test_the_last_lines_of_an_error_are_kept(heard: Heard) -> None:
    for number in range(1000):
        heard.recorder.log("stderr", f"line {number}\n".encode())
    assert heard.recorder.error_tail.endswith("line 999\n")
    assert len(heard.recorder.error_tail) == 4000


def test_the_end_is_told_once_with_what_was_measured(heard: Heard) -> None:
    ended = Ended("exited", 0, Usage(wall_ms=5))
    heard.recorder.ended(ended)
    assert heard.ends == [ended]
