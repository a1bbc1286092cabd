"""The tape holds what the code saw and nothing else; from a tape the code gets it again and nothing leaves."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from services.executor.egress.model import SecretBinding
from services.executor.tapes.recording import Recording
from services.executor.tapes.replay import TapeReplay
from shared.agentfile.model import HostRule
from shared.records.tapes import TapeContent, TapeEntry, TapeRecord
from shared.vault.tapes import read_body, read_tape
from tests.unit.executor.egress.conftest import API, OTHER, PLAIN, OpenRun, World
from tests.unit.executor.tapes.taping import Desk

VALUE = "s3cr3t/value+for=the shop"
MARK = "AB_SECRET_SHOP_KEY_7f3a9c"
BINDING = SecretBinding("SHOP_KEY", API, MARK)
PRACTICE = HostRule(host="practice.agentbuilder.test")


@dataclass
class Taping:
    """Opens runs that are recorded and runs that replay what was."""

    world: World
    desk: Desk
    record: TapeRecord | None = None

    def recorded(self, work: Callable[[OpenRun], None], *hosts: HostRule, **more: Any) -> TapeContent:
        recording: Recording = self.desk.recording()
        run = self.world.open(*hosts, tape=recording, **more)
        work(run)
        run.close()
        self.record = self.desk.finish(recording)
        return read_tape(self.record, self.desk.blobs, self.desk.key)

    def body(self, address: str | None) -> bytes:
        assert self.record is not None
        if address is None:
            return b""
        return read_body(self.record, address, self.desk.blobs, self.desk.key, 1 << 20)

    def replayed(self, entries: tuple[TapeEntry, ...], *hosts: HostRule, **more: Any) -> OpenRun:
        return self.world.open(*hosts, replay=TapeReplay(entries, self.body), **more)


@pytest.fixture
def taping(world: World, tmp_path: Path) -> Taping:
    return Taping(world, Desk(tmp_path))


def test_a_secret_is_on_the_tape_as_a_placeholder_only(taping: Taping, world: World) -> None:
    def work(run: OpenRun) -> None:
        with run.session() as session:
            answer = session.post(
                world.url("/echo"), data="body", headers={"Authorization": f"Bearer {MARK}"}
            )
            assert VALUE not in answer.text

    rule = world.rule(effect="write")
    content = taping.recorded(work, rule, secrets=(BINDING,), reveal=lambda name: VALUE)

    assert world.api.seen.requests[-1].headers["authorization"] == f"Bearer {VALUE}"
    (entry,) = content.entries
    assert ("Authorization", f"Bearer {MARK}") in entry.request_headers
    assert ("x-echo", f"Bearer {MARK}") in entry.answer_headers
    assert taping.body(entry.request_body) == b"body"
    shown = content.model_dump_json().encode() + taping.body(entry.answer_body)
    assert MARK.encode() in shown
    for spelling in (VALUE, "s3cr3t"):
        assert spelling.encode() not in shown


def test_every_kind_of_answer_is_recorded_as_the_code_got_it(taping: Taping, world: World) -> None:
    def work(run: OpenRun) -> None:
        with run.session() as session:
            session.get(world.url("/list?a=1"))
            session.post(world.url("/orders"), json={"n": 1})
            session.get("https://practice.agentbuilder.test/shop-a/new")
            session.get(world.url("/x", PLAIN))
            with pytest.raises(requests.RequestException):
                session.get(world.url("/cut")).raise_for_status()

    content = taping.recorded(work, world.rule(effect="write"), PRACTICE, mode="rehearsal")

    verdicts = [(entry.verdict, entry.status, entry.reason) for entry in content.entries]
    assert verdicts[:4] == [
        ("sent", 200, ""),
        ("would_send", 202, ""),
        ("practice", 200, ""),
        ("refused", 403, "undeclared_host"),
    ]
    listed, order, shop, _refused, cut = content.entries
    assert (listed.url, taping.body(listed.answer_body)) == (world.url("/list?a=1"), b"ok /list?a=1")
    assert taping.body(order.request_body) == b'{"n": 1}'
    assert b'"sent": false' in taping.body(order.answer_body)
    assert "shop-a" in shop.url
    assert (cut.verdict, cut.broken, taping.body(cut.answer_body)) == ("failed", True, b"only this")


def test_a_refused_connect_is_recorded_and_an_allowed_one_is_not(taping: Taping, world: World) -> None:
    def work(run: OpenRun) -> None:
        with run.session() as session:
            session.get(world.url("/list"))
        with run.raw() as raw:
            raw.sendall(b"CONNECT 1.2.3.4:443 HTTP/1.1\r\nhost: 1.2.3.4:443\r\n\r\n")
            assert b"403" in raw.recv(1000)

    content = taping.recorded(work)

    assert (content.entries[0].method, content.entries[0].verdict) == ("GET", "sent")
    assert content.entries[-1].verdict == "refused"
    assert len(content.entries) == 2


def test_a_replay_gives_the_code_what_it_got_and_nothing_leaves(taping: Taping, world: World) -> None:
    got: list[list[Any]] = []

    def work(run: OpenRun) -> None:
        with run.session() as session:
            answers = [
                session.get(world.url("/list")),
                session.get(world.url("/hop")),
                session.post(world.url("/orders"), data=b"\0\1"),
                session.get(world.url("/echo-gzip")),
                session.get(world.url("/drip")),
                session.head(world.url("/list")),
            ]
            got.append([(a.status_code, a.content, a.headers.get("content-type"), a.url) for a in answers])

    rule = world.rule(effect="write")
    content = taping.recorded(work, rule)
    announced: list[str] = []
    world.lookups.clear()
    before = (world.api.seen.connections, len(world.api.seen.requests))
    replay = taping.replayed(
        content.entries,
        rule,
        mode="rehearsal",
        before_write=announced.append,
        secrets=(BINDING,),
        reveal=lambda name: pytest.fail("no secret is needed"),
    )
    work(replay)
    report = replay.close()

    assert got[0] == got[1]
    assert (world.api.seen.connections, len(world.api.seen.requests)) == before
    assert world.lookups == []
    assert announced == []
    assert report.wrote is False
    assert {record.verdict for record in replay.records} == {"replayed"}
    assert sum(record.bytes_out for record in replay.records) == 0


def test_the_same_request_gets_its_answers_in_the_recorded_order(taping: Taping, world: World) -> None:
    def work(run: OpenRun) -> None:
        with run.session() as session:
            for n in range(3):
                session.get(world.url("/echo"), headers={"x-n": str(n)})

    content = taping.recorded(work)
    replay = taping.replayed(content.entries)
    with replay.session() as session:
        said = [session.get(world.url("/echo")).json()["headers"]["x-n"] for _ in range(3)]
        after = session.get(world.url("/echo"))

    assert said == ["0", "1", "2"]
    assert (after.status_code, after.json()["code"]) == (502, "not_on_tape")


def test_the_answer_to_the_same_body_comes_before_one_to_another(taping: Taping, world: World) -> None:
    rule = world.rule(effect="read", methods=("POST",), why="search")

    def work(run: OpenRun) -> None:
        with run.session() as session:
            for word in ("one", "two"):
                session.post(world.url("/echo"), data=word)

    content = taping.recorded(work, rule)
    replay = taping.replayed(content.entries, rule)
    with replay.session() as session:
        said = [session.post(world.url("/echo"), data=word).json()["body"] for word in ("two", "new")]

    assert said == ["two", "one"], "no such body: the next one to that address"


def test_a_request_the_tape_does_not_know_is_told_so(taping: Taping, world: World) -> None:
    content = taping.recorded(lambda run: None)
    replay = taping.replayed(content.entries)
    world.lookups.clear()

    with replay.session() as session:
        answer = session.get(world.url("/list"))
    replay.close()

    assert (answer.status_code, answer.json()["code"]) == (502, "not_on_tape")
    assert world.lookups == []
    (record,) = replay.records
    assert (record.verdict, record.reason) == ("failed", "not_on_tape")


def test_rules_hold_in_a_replay_as_well(taping: Taping, world: World) -> None:
    def work(run: OpenRun) -> None:
        with run.session() as session:
            session.get(world.url("/list", OTHER))

    content = taping.recorded(work, world.rule(OTHER))
    replay = taping.replayed(content.entries, world.rule())
    with replay.session() as session:
        answer = session.get(world.url("/list", OTHER))

    assert answer.json()["code"] == "undeclared_host"


def test_what_was_refused_for_want_of_a_rule_is_no_answer_for_a_version_that_has_it(
    taping: Taping, world: World
) -> None:
    def work(run: OpenRun) -> None:
        with run.session() as session:
            session.get(world.url("/list", OTHER))

    content = taping.recorded(work, world.rule())
    replay = taping.replayed(content.entries, world.rule(OTHER))
    with replay.session() as session:
        answer = session.get(world.url("/list", OTHER))

    assert answer.json()["code"] == "not_on_tape"


def test_an_answer_that_broke_off_breaks_off_again(taping: Taping, world: World) -> None:
    seen: list[str] = []

    def work(run: OpenRun) -> None:
        with run.session() as session:
            try:
                session.get(world.url("/cut"))
            except requests.RequestException as error:
                seen.append(type(error).__name__)

    content = taping.recorded(work)
    work(taping.replayed(content.entries))

    assert len(seen) == 2
    assert seen[0] == seen[1]


def test_a_compressed_answer_stays_compressed(taping: Taping, world: World) -> None:
    def work(run: OpenRun) -> None:
        with run.session() as session:
            raw = session.get(world.url("/echo-gzip"), stream=True).raw.read(decode_content=False)
            assert gzip.decompress(raw).startswith(b"{")

    content = taping.recorded(work)
    work(taping.replayed(content.entries))

    assert taping.body(content.entries[0].answer_body)[:2] == b"\x1f\x8b"


def test_an_exchange_cut_by_the_end_of_the_run_is_recorded_as_such(taping: Taping, world: World) -> None:
    world.api.seen.arrived.clear()
    world.api.seen.released.clear()

    def work(run: OpenRun) -> None:
        raw = socket.create_connection(("127.0.0.1", run.port), timeout=20)
        place = f"{PLAIN}:{world.plain.port}"
        raw.sendall(f"GET http://{place}/hold HTTP/1.1\r\nhost: {place}\r\n\r\n".encode())
        assert world.plain.seen.arrived.wait(20)
        run.close()
        raw.close()

    content = taping.recorded(work, world.rule(PLAIN))
    world.plain.seen.released.set()

    (entry,) = content.entries
    assert (entry.verdict, entry.reason, entry.status) == ("failed", "run_ended", 0)
    assert "/hold" in entry.url
