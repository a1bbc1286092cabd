"""The way out of a sandbox that waits: everybody is told no and written down; a run's door may follow."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from services.executor.egress.gateway import EgressGateway
from services.executor.egress.model import EgressRun, Exchange, Pace
from shared.errors import Conflict

_PATIENCE_S = 20


@dataclass
class Watched:
    """A guarded socket seen from package code's side."""

    gateway: EgressGateway
    listener: socket.socket
    records: list[Exchange] = field(default_factory=list)
    heard: threading.Event = field(default_factory=threading.Event)

    def record(self, exchange: Exchange) -> None:
        self.records.append(exchange)
        self.heard.set()

    def ask(self, request: bytes) -> bytes:
        with socket.create_connection(self.listener.getsockname(), timeout=_PATIENCE_S) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while part := connection.recv(4096):
                answer += part
            return answer


@pytest.fixture
def watched() -> Iterator[Watched]:
    gateway = EgressGateway()
    made = Watched(gateway, socket.create_server(("127.0.0.1", 0)))
    gateway.guard(made.listener, made.record)
    yield made
    gateway.stop()
    made.listener.close()


@pytest.mark.parametrize(
    ("request_line", "host", "port", "method"),
    [
        (b"CONNECT evil.example.com:443 HTTP/1.1", "evil.example.com", 443, ""),
        (b"GET http://evil.example.com/steal?x=1 HTTP/1.1", "evil.example.com", 80, "GET"),
        (b"POST http://10.0.0.1:8080/ HTTP/1.1", "10.0.0.1", 8080, "POST"),
        (b"GET / HTTP/1.1", "", 0, "GET"),
    ],
)
def test_a_request_is_refused_and_recorded_when_no_run_has_begun(
    watched: Watched, request_line: bytes, host: str, port: int, method: str
) -> None:
    answer = watched.ask(request_line + b"\r\nHost: evil.example.com\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 403 not_bound")
    assert watched.heard.wait(_PATIENCE_S)
    record = watched.records[0]
    assert (record.host, record.port, record.method) == (host, port, method)
    assert (record.verdict, record.reason, record.bytes_out) == ("refused", "not_bound", 0)
    assert not record.undeclared  # nobody is asked to allow it
    assert not record.wrote


@pytest.mark.parametrize(
    "noise", [b"", b"\x16\x03\x01\x02\x00\x01", b"GET " + b"x" * 100_000, b"EHLO me\r\n\r\n"]
)
def test_a_connection_counts_when_what_is_said_over_it_is_no_request(watched: Watched, noise: bytes) -> None:
    with contextlib.suppress(OSError):  # it may be refused before all is said
        watched.ask(noise)

    assert watched.heard.wait(_PATIENCE_S)
    assert watched.records[0].reason == "not_bound"


def test_records_are_bounded_when_a_package_does_not_stop_asking(watched: Watched) -> None:
    for _ in range(40):
        watched.ask(b"GET http://evil.example.com/ HTTP/1.1\r\nHost: evil.example.com\r\n\r\n")

    assert len(watched.records) <= 20


def test_the_same_socket_serves_a_run_when_one_is_bound(watched: Watched) -> None:
    watched.ask(b"GET http://early.example.com/ HTTP/1.1\r\nHost: early.example.com\r\n\r\n")
    records: list[Exchange] = []

    watched.gateway.open(EgressRun("run", (), records.append, pace=Pace(0)), watched.listener)
    answer = watched.ask(b"GET http://late.example.com/ HTTP/1.1\r\nHost: late.example.com\r\n\r\n")
    watched.gateway.close("run")

    assert b"undeclared_host" in answer
    assert [record.host for record in watched.records] == ["early.example.com"]
    assert [(record.host, record.reason) for record in records] == [("late.example.com", "undeclared_host")]


def test_the_first_connection_of_a_run_is_never_the_guards_when_it_comes_at_once(watched: Watched) -> None:
    for number in range(100):  # a guard that takes it has a turn of the loop to do so: seen in a few of these
        listener = socket.create_server(("127.0.0.1", 0))
        watched.gateway.guard(listener, watched.record)
        records: list[Exchange] = []
        watched.gateway.open(EgressRun(f"run_{number}", (), records.append, pace=Pace(0)), listener)
        with socket.create_connection(listener.getsockname(), timeout=_PATIENCE_S) as connection:
            connection.sendall(b"GET http://first.example.com/ HTTP/1.1\r\nHost: first.example.com\r\n\r\n")
            assert b"undeclared_host" in connection.recv(4096)
        watched.gateway.close(f"run_{number}")
        assert [record.host for record in records] == ["first.example.com"]

    assert watched.records == []


def test_a_connection_from_before_does_not_become_the_runs_when_one_is_bound(watched: Watched) -> None:
    with socket.create_connection(watched.listener.getsockname(), timeout=_PATIENCE_S) as early:
        watched.ask(
            b"GET http://e.example.com/ HTTP/1.1\r\nHost: e.example.com\r\n\r\n"
        )  # early was accepted
        records: list[Exchange] = []
        watched.gateway.open(EgressRun("run", (), records.append, pace=Pace(0)), watched.listener)
        try:
            early.sendall(b"GET http://late.example.com/ HTTP/1.1\r\nHost: late.example.com\r\n\r\n")
            answer = early.recv(4096)
        except ConnectionError:
            answer = b""
        watched.gateway.close("run")

    assert answer == b""
    assert records == []


def test_the_socket_is_closed_when_the_sandbox_ended_without_a_run(watched: Watched) -> None:
    place = watched.listener.getsockname()

    watched.gateway.unguard(watched.listener)
    watched.gateway.unguard(watched.listener)

    assert watched.listener.fileno() == -1
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(place)


def test_a_runs_socket_is_left_alone_when_its_time_of_waiting_is_told_over(watched: Watched) -> None:
    watched.gateway.open(EgressRun("run", (), lambda exchange: None), watched.listener)

    watched.gateway.unguard(watched.listener)

    assert watched.listener.fileno() != -1
    watched.gateway.close("run")


def test_nothing_is_guarded_any_more_when_the_gateway_has_stopped() -> None:
    gateway = EgressGateway()
    gateway.stop()

    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(Conflict):
        gateway.guard(listener, lambda exchange: None)
