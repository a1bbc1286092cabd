"""Requests that try to be two things at once, spoken byte by byte."""

from __future__ import annotations

import contextlib
import socket
import ssl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.executor.egress.model import Caps
from tests.unit.executor.egress.conftest import API, OTHER, PLAIN, OpenRun, World


def said(connection: socket.socket) -> bytes:
    """Everything until the other side closes."""
    parts = []
    with contextlib.suppress(OSError):
        while data := connection.recv(65536):
            parts.append(data)
    return b"".join(parts)


def spoken(run: OpenRun, request: bytes) -> bytes:
    """The whole answer to raw bytes on a plain proxy connection."""
    with run.raw() as connection:
        # The gateway may have heard enough and closed already.
        with contextlib.suppress(OSError):
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
        return said(connection)


def tunnelled(run: OpenRun, target: str, server_name: str | None, request: bytes) -> bytes:
    """The answer to raw bytes inside a tunnel to `target`, asking for `server_name` in TLS."""
    with run.raw() as connection:
        connection.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        head = connection.recv(65536)
        if b" 200 " not in head.split(b"\r\n")[0]:
            return head
        context = run.tls()
        context.check_hostname = server_name is not None
        with context.wrap_socket(connection, server_hostname=server_name) as inside:
            inside.sendall(request)
            return said(inside)


def test_only_one_request_leaves_when_length_and_chunks_disagree(world: World) -> None:
    run = world.open(world.rule(PLAIN, effect="write"))
    before = len(world.plain.seen.requests)
    host = f"{PLAIN}:{world.plain.port}"

    answer = spoken(
        run,
        f"POST http://{host}/a HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4\r\n"
        f"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET http://{host}/smuggled HTTP/1.1\r\n\r\n".encode(),
    )

    assert answer.startswith(b"HTTP/1.1 400")
    assert world.plain.seen.requests[before:] == []


@pytest.mark.parametrize(
    "lines",
    [
        "Content-Length: 4\r\nContent-Length: 5\r\n",
        "Content-Length: +4\r\n",
        "Content-Length : 4\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Bad\x00Name: 1\r\n",
        "No colon here\r\n",
        "Host: other.shop.test\r\n",
    ],
)
def test_a_misframed_request_is_refused_and_does_not_leave(world: World, lines: str) -> None:
    run = world.open(world.rule(PLAIN, effect="write"))
    before = len(world.plain.seen.requests)
    host = f"{PLAIN}:{world.plain.port}"

    answer = spoken(run, f"POST http://{host}/a HTTP/1.1\r\nHost: {host}\r\n{lines}\r\nbody".encode())
    run.close()

    assert answer.split(b" ")[1] in (b"400", b"501")
    assert world.plain.seen.requests[before:] == []
    assert [(record.verdict, record.bytes_out) for record in run.records] == [("refused", 0)]


def test_oversized_headers_are_refused(world: World) -> None:
    run = world.open(world.rule(PLAIN))
    host = f"{PLAIN}:{world.plain.port}"

    answer = spoken(
        run, f"GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\nX: {'x' * 200_000}\r\n\r\n".encode()
    )
    run.close()

    assert not answer or answer.split(b" ")[1] in (b"400", b"431")
    assert [record.reason for record in run.records] == ["malformed"]


@pytest.mark.parametrize(
    ("line", "host", "code"),
    [
        ("GET http://{plain}/ HTTP/1.1", "evil.example", b"host_mismatch"),
        ("GET http://{plain}/ HTTP/1.1", "{other}", b"host_mismatch"),
        ("GET / HTTP/1.1", "{plain}", b"bad_url"),
        ("GET https://{plain}/ HTTP/1.1", "{plain}", b"bad_url"),
        ("GET http://user:pw@{plain}/ HTTP/1.1", "{plain}", b"bad_url"),
        ("GET http://{plain}@evil.example/ HTTP/1.1", "{plain}", b"bad_url"),
        ("GET http://evil.example\\@{plain}/ HTTP/1.1", "{plain}", b"bad_url"),
        ("GET http://2130706433/ HTTP/1.1", "2130706433", b"not_a_name"),
        ("GET http://0x7f.1/ HTTP/1.1", "0x7f.1", b"not_a_name"),
        ("GET http://[::1]/ HTTP/1.1", "[::1]", b"not_a_name"),
        ("GET http://[::ffff:127.0.0.1]/ HTTP/1.1", "[::ffff:127.0.0.1]", b"not_a_name"),
        ("GET http://169.254.169.254/ HTTP/1.1", "169.254.169.254", b"not_a_name"),
        ("GET http://localhost/ HTTP/1.1", "localhost", b"not_a_name"),
        ("GET http://[plain.shop.test]/ HTTP/1.1", "{plain}", b"bad_url"),
        ("CONNECT [::1]:443 HTTP/1.1", "x", b"not_a_name"),
        ("CONNECT 127.1:443 HTTP/1.1", "x", b"not_a_name"),
        ("CONNECT {api}.:443 HTTP/1.1", "x", b"bad_url"),
        ("CONNECT api.shop.test HTTP/1.1", "x", b"bad_url"),
        ("CONNECT api.shop.test.:443 HTTP/1.1", "x", b"not_a_name"),
        ("CONNECT api.shop.test:99999 HTTP/1.1", "x", b"bad_url"),
        ("CONNECT user@{api} HTTP/1.1", "x", b"bad_url"),
    ],
)
def test_a_misleading_address_is_refused_without_a_lookup(
    world: World, line: str, host: str, code: bytes
) -> None:
    run = world.open(world.rule(PLAIN), world.rule(API))
    world.lookups.clear()
    names = {
        "plain": f"{PLAIN}:{world.plain.port}",
        "api": f"{API}:{world.api.port}",
        "other": f"{OTHER}:{world.other.port}",
    }

    answer = spoken(run, f"{line}\r\nHost: {host}\r\n\r\n".format(**names).encode())
    run.close()

    assert b'"code": "' + code in answer
    assert world.lookups == []
    assert [record.verdict for record in run.records] == ["refused"]


def test_a_tunnel_refuses_another_server_name(world: World) -> None:
    run = world.open(world.rule(API), world.rule(OTHER))
    target = f"{API}:{world.api.port}"

    with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
        tunnelled(run, target, OTHER, b"GET / HTTP/1.1\r\n\r\n")
    run.close()

    [record] = run.records
    assert (record.verdict, record.reason, record.host) == ("refused", "host_mismatch", API)


def test_a_tunnel_refuses_a_missing_server_name(world: World) -> None:
    run = world.open(world.rule(API))

    with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
        tunnelled(run, f"{API}:{world.api.port}", None, b"GET / HTTP/1.1\r\n\r\n")


@pytest.mark.parametrize(
    ("request_line", "host", "code"),
    [
        ("GET / HTTP/1.1", "{other}", b"host_mismatch"),
        ("GET / HTTP/1.1", API, b"host_mismatch"),
        ("GET https://{other}/ HTTP/1.1", "{api}", b"bad_url"),
        ("GET http://169.254.169.254/ HTTP/1.1", "{api}", b"bad_url"),
        ("CONNECT {other} HTTP/1.1", "{other}", b"malformed"),
    ],
)
def test_a_tunnel_stays_at_its_host(world: World, request_line: str, host: str, code: bytes) -> None:
    run = world.open(world.rule(API), world.rule(OTHER))
    names = {"api": f"{API}:{world.api.port}", "other": f"{OTHER}:{world.other.port}"}
    before = len(world.api.seen.requests) + len(world.other.seen.requests)

    request = f"{request_line}\r\nHost: {host}\r\nConnection: close\r\n\r\n".format(**names)
    answer = tunnelled(run, names["api"], API, request.encode())

    assert b'"code": "' + code in answer
    assert len(world.api.seen.requests) + len(world.other.seen.requests) == before


def test_bytes_sent_ahead_of_the_tunnel_end_it(world: World) -> None:
    run = world.open(world.rule(API))
    target = f"{API}:{world.api.port}"

    answer = spoken(run, f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n\x16\x03\x01early".encode())
    run.close()

    assert answer == b""
    assert [record.reason for record in run.records] == ["malformed"]


def test_pipelined_requests_are_answered_one_after_another(world: World) -> None:
    run = world.open(world.rule(PLAIN))
    host = f"{PLAIN}:{world.plain.port}"
    requests = "".join(
        f"GET http://{host}/{place} HTTP/1.1\r\nHost: {host}\r\n\r\n" for place in ("one", "two", "three")
    )

    answer = spoken(run, requests.encode())

    assert [answer.find(text) > 0 for text in (b"ok /one", b"ok /two", b"ok /three")] == [True] * 3
    assert answer.index(b"ok /one") < answer.index(b"ok /two") < answer.index(b"ok /three")


def test_connections_over_the_limit_wait_instead_of_failing(world: World) -> None:
    run = world.open(world.rule(PLAIN), caps=Caps(client_connections=1))
    host = f"{PLAIN}:{world.plain.port}"
    request = f"GET http://{host}/w HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()

    with run.raw() as first, run.raw() as second:
        second.sendall(request)
        second.settimeout(0.1)
        with pytest.raises(TimeoutError):
            second.recv(1)
        second.settimeout(20)
        first.sendall(request)
        assert b"ok /w" in said(first)
        assert b"ok /w" in said(second)


_PIECES = st.sampled_from(
    [
        b"GET ",
        b"POST ",
        b"CONNECT ",
        b"http://plain.shop.test/",
        b"http://169.254.169.254/",
        b"plain.shop.test:443",
        b" HTTP/1.1",
        b" HTTP/1.0",
        b"\r\n",
        b"\n",
        b"Host: plain.shop.test",
        b"Content-Length: 5",
        b"Transfer-Encoding: chunked",
        b"Expect: 100-continue",
        b"5\r\nhello\r\n0\r\n\r\n",
        b"\x16\x03\x01",
        b"\x00",
    ]
)


def test_garbage_never_leaves_and_never_stops_the_gateway(world: World) -> None:
    run = world.open(world.rule(API))
    before = world.plain.seen.connections + world.api.seen.connections
    world.lookups.clear()

    @settings(max_examples=150)
    @given(st.lists(st.one_of(_PIECES, st.binary(max_size=12)), max_size=14).map(b"".join))
    def speak(data: bytes) -> None:
        spoken(run, data)

    speak()
    with run.session() as session:
        assert session.get(world.url("/still")).text == "ok /still"
    run.close()

    assert world.plain.seen.connections + world.api.seen.connections == before + 1
    assert world.lookups == [API]
    assert all(record.bytes_out == 0 for record in run.records[:-1])
