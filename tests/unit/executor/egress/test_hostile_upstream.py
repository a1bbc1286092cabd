"""Servers that answer badly, hang or flood, and a run that ends in the middle of it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from services.executor.egress.model import Pace
from tests.unit.executor.egress.conftest import CANNED, World


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x16\x03\x01garbage",
        b"HTTP/1.1 999999 No\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        b"HTTP/1.1 200 OK\r\nBad Name: 1\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 100 + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_an_unusable_answer_is_a_bad_gateway(world: World, answer: bytes) -> None:
    run = world.open(world.rule(CANNED))
    world.canned.answer = answer

    with run.session() as session:
        response = session.get(world.url("/", CANNED))
    run.close()

    assert (response.status_code, response.json()["code"]) == (502, "no_answer")
    assert [record.verdict for record in run.records] == ["failed"]


def test_an_answer_framed_twice_is_framed_once_for_the_code(world: World) -> None:
    run = world.open(world.rule(CANNED))
    world.canned.answer = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    )

    with run.session() as session:
        response = session.get(world.url("/", CANNED))

    assert response.content == b"hello"
    assert "content-length" not in response.headers


def test_an_answer_that_ends_with_the_connection_arrives_whole(world: World) -> None:
    run = world.open(world.rule(CANNED))
    world.canned.answer = b"HTTP/1.0 200 OK\r\n\r\n" + "옛 서버".encode()

    with run.session() as session:
        assert session.get(world.url("/", CANNED)).content.decode() == "옛 서버"


def test_whatever_a_server_says_the_code_sees_http_or_a_closed_connection(world: World) -> None:
    run = world.open(world.rule(CANNED))
    pieces = st.sampled_from(
        [
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.0 204 No\r\n",
            b"Content-Length: 4\r\n",
            b"Transfer-Encoding: chunked\r\n",
            b"Set-Cookie: a=b\r\n",
            b"Content-Encoding: gzip\r\n",
            b"\r\n",
            b"4\r\nbody\r\n",
            b"0\r\n\r\n",
        ]
    )

    @settings(max_examples=60)
    @given(st.lists(st.one_of(pieces, st.binary(max_size=8)), max_size=9).map(b"".join))
    def ask(answer: bytes) -> None:
        world.canned.answer = answer
        with run.session() as session:
            try:
                status = session.get(world.url("/", CANNED)).status_code
            except requests.exceptions.RequestException:
                return
            assert status in (502, *range(200, 300))

    ask()
    run.close()

    assert {record.verdict for record in run.records} <= {"sent", "failed"}


def test_a_kept_connection_that_ended_meanwhile_is_not_used_again(world: World) -> None:
    run = world.open(world.rule(CANNED, methods=("GET", "POST"), why="검색"))
    world.canned.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    statuses = []

    with run.session() as session:
        for _ in range(3):
            world.canned.closed.clear()
            # A POST is never repeated, so using the dead connection would show.
            statuses.append(session.post(world.url("/", CANNED), data=b"q").status_code)
            assert world.canned.closed.wait(20)

    assert statuses == [200, 200, 200]


def test_no_more_connections_than_allowed_reach_one_host(world: World) -> None:
    run = world.open(pace=Pace(requests_per_s=0, connections=2))
    before = len(world.api.seen.requests)

    def ask(number: int) -> str:
        with run.session() as session:
            return session.get(world.url(f"/{number}")).text

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(ask, range(24)))

    assert answers == sorted(f"ok /{number}" for number in range(24))
    assert len({request.connection for request in world.api.seen.requests[before:]}) <= 2


def test_a_write_under_way_when_the_run_ends_is_on_record(world: World) -> None:
    run = world.open(world.rule(effect="write"))
    world.api.seen.arrived.clear()
    world.api.seen.released.clear()
    outcome: list[str] = []

    def write() -> None:
        try:
            with run.session() as session:
                session.post(world.url("/hold"), data=b"x")
        except requests.exceptions.RequestException as error:
            outcome.append(type(error).__name__)

    thread = threading.Thread(target=write)
    thread.start()
    assert world.api.seen.arrived.wait(20)
    report = run.close()
    world.api.seen.released.set()
    thread.join()

    [record] = run.records
    assert (record.verdict, record.reason, record.wrote, report.wrote) == ("failed", "run_ended", True, True)
    assert len(outcome) == 1


def test_an_idle_connection_does_not_keep_a_run_open(world: World) -> None:
    run = world.open()

    with run.raw() as silent:
        report = run.close()
        with suppress(ConnectionResetError):  # where the gateway had not taken the connection yet
            assert silent.recv(100) == b""

    assert report.requests == 0
