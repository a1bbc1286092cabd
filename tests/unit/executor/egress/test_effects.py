"""Writes: never sent in a rehearsal, announced before they leave, known afterwards."""

from __future__ import annotations

import socket

from services.executor.egress.decoys import fresh_decoys
from services.executor.egress.writes import write_id
from shared.agentfile.model import HostRule
from shared.errors import Unavailable
from shared.ids import SeededIds
from tests.unit.executor.egress.conftest import World

WRITE = {"effect": "write"}


def test_a_rehearsed_write_is_shown_and_never_sent(world: World) -> None:
    run = world.open(world.rule(**WRITE), mode="rehearsal")
    before = world.api.seen.connections
    world.lookups.clear()

    with run.session() as session:
        answer = session.post(world.url("/orders?dry=0"), json={"item": "머그컵", "count": 2})
    report = run.close()

    assert (answer.status_code, answer.json()) == (202, {"rehearsal": True, "sent": False, "method": "POST"})
    [record] = run.records
    assert (record.verdict, record.effect, record.url) == ("would_send", "write", world.url("/orders?dry=0"))
    assert (record.bytes_out, record.wrote, report.wrote) == (0, False, False)
    assert record.content_type == "application/json"
    assert b'"count": 2' in record.body_preview
    assert world.api.seen.connections == before
    assert world.lookups == []


def test_a_rehearsed_write_keeps_only_the_start_of_a_long_body(world: World) -> None:
    run = world.open(world.rule(**WRITE), mode="rehearsal")

    with run.session() as session:
        session.put(world.url("/upload"), data=b"z" * 200_000)
    run.close()

    assert (len(run.records[0].body_preview), run.records[0].body_bytes) == (64 << 10, 200_000)


def test_a_rehearsal_really_reads(world: World) -> None:
    run = world.open(world.rule(**WRITE), mode="rehearsal")

    with run.session() as session:
        assert session.get(world.url("/list")).text == "ok /list"


def test_a_post_that_only_reads_is_sent_in_a_rehearsal(world: World) -> None:
    rule = world.rule(effect="read", methods=("POST",), path="/search", why="검색만 합니다")
    run = world.open(rule, mode="rehearsal")

    with run.session() as session:
        assert session.post(world.url("/search"), json={"q": "머그"}).text == "ok /search"
    report = run.close()

    assert (run.records[0].verdict, report.wrote) == ("sent", False)


def test_a_live_write_is_sent_once_and_reported(world: World) -> None:
    run = world.open(world.rule(**WRITE))
    before = len(world.api.seen.requests)

    with run.session() as session:
        session.post(world.url("/orders"), json={"item": 1})
    report = run.close()

    assert len(world.api.seen.requests) == before + 1
    assert (run.records[0].wrote, report.wrote) == (True, True)


def test_a_write_on_a_broken_connection_counts_as_written_and_is_not_repeated(world: World) -> None:
    run = world.open(world.rule(**WRITE))
    before = len(world.api.seen.requests)

    with run.session() as session:
        session.get(world.url("/warm"))
        answer = session.post(world.url("/hangup"), data=b"x")
    report = run.close()

    assert answer.status_code == 502
    warm, write = world.api.seen.requests[before:]
    assert (warm.method, write.method) == ("GET", "POST")
    assert warm.connection != write.connection
    assert (run.records[-1].verdict, report.wrote) == ("failed", True)


def test_a_refused_connection_is_no_write(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    run = world.open(HostRule(host="nobody.shop.test", port=port, effect="write"))

    with run.session() as session:
        assert session.post(f"https://nobody.shop.test:{port}/", data=b"x").status_code == 502

    assert run.close().wrote is False


def test_a_live_write_is_announced_before_it_leaves(world: World) -> None:
    announced: list[tuple[str, int]] = []

    def before_write(what: str) -> None:
        announced.append((what, len(world.api.seen.requests)))

    run = world.open(world.rule(**WRITE), before_write=before_write)
    before = len(world.api.seen.requests)
    with run.session() as session:
        session.get(world.url("/list"))
        session.delete(world.url("/orders/1"))

    assert announced == [(f"DELETE {world.url('/orders/1')}", before + 1)]


def test_a_write_that_cannot_be_announced_is_not_sent(world: World) -> None:
    def before_write(_: str) -> None:
        raise Unavailable("the store is busy")

    run = world.open(world.rule(**WRITE), before_write=before_write)
    before = len(world.api.seen.requests)
    with run.session() as session:
        answer = session.post(world.url("/orders"), data=b"x")

    assert (answer.status_code, answer.json()["code"]) == (503, "not_begun")
    assert len(world.api.seen.requests) == before
    assert run.close().wrote is False


def test_a_practice_write_is_answered_without_leaving(world: World) -> None:
    run = world.open(HostRule(host="practice.agentbuilder.test", effect="write"))

    with run.session() as session:
        answer = session.post("https://practice.agentbuilder.test/messages", json={"text": "안녕"})

    assert answer.status_code == 201
    assert run.close().wrote is False


def test_one_rehearsed_write_leaves_once_when_a_person_let_exactly_it_through(world: World) -> None:
    url = world.url("/orders?n=1")
    allowed = write_id("POST", url, b"one mug")
    told: list[str] = []
    run = world.open(
        world.rule(**WRITE),
        mode="rehearsal",
        allowed_writes=frozenset({allowed}),
        before_write=told.append,
        decoys=fresh_decoys(SeededIds()),
    )
    before = len(world.api.seen.requests)

    with run.session() as session:
        for method, path, body in (
            ("POST", "/orders?n=1", b"two mugs"),
            ("PUT", "/orders?n=1", b"one mug"),
            ("POST", "/orders?n=2", b"one mug"),
            ("POST", "/orders?n=1", b"one mug"),
            ("POST", "/orders?n=1", b"one mug"),
        ):
            session.request(method, world.url(path), data=body)
    report = run.close()

    assert [(got.method, got.target, got.body) for got in world.api.seen.requests[before:]] == [
        ("POST", "/orders?n=1", b"one mug")
    ]
    assert [record.verdict for record in run.records] == ["would_send"] * 3 + ["sent", "would_send"]
    assert run.records[3].write_id == run.records[4].write_id == allowed
    assert len({record.write_id for record in run.records}) == 4
    assert (told, report.wrote) == ([f"POST {url}"], True)


def test_a_long_or_streamed_write_is_let_through_whole_when_a_person_said_so(world: World) -> None:
    body = b"z" * (3 << 20)
    url = world.url("/upload")
    run = world.open(
        world.rule(**WRITE), mode="rehearsal", allowed_writes=frozenset({write_id("PUT", url, body)})
    )
    with run.session() as session:
        pieces = (body[at : at + 70_000] for at in range(0, len(body), 70_000))
        assert session.put(url, data=pieces).status_code == 200
    assert world.api.seen.requests[-1].body == body
