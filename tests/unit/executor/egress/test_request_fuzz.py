"""Requests made up by the hundred: what arrives is what was asked, or nothing; a decoy in any place means nothing."""

from __future__ import annotations

import contextlib
import ssl
from dataclasses import dataclass, replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.executor.egress.decoys import fresh_decoys
from shared.ids import SeededIds
from tests.unit.executor.egress.conftest import API, OpenRun, World
from tests.unit.executor.egress.test_wire_tricks import said

DECOYS = fresh_decoys(SeededIds(23))
VALUE = DECOYS[1].value

NAMES = st.text(alphabet="abcdefgh-XYZ0123456789_", min_size=1, max_size=12).map(lambda name: f"x-{name}")
VALUES = st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), max_size=30)
TARGETS = st.text(alphabet="/abc%?&=;:@.~+,!$'()*-_0123456789", max_size=40).map(lambda text: f"/{text}")
ODD = st.sampled_from(
    [
        b"",
        b"X-A : b\r\n",
        b" folded\r\n",
        b"X-A: b\r\n c\r\n",
        b"X-A: \x00\r\n",
        b"X-A: \xff\xfe\r\n",
        b"\xc3\xa9: x\r\n",
        b"Content-Length: 3\r\n",
        b"Content-Length: +3\r\n",
        b"Content-Length: 3, 3\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Transfer-Encoding: identity\r\n",
        b"Host: other.shop.test\r\n",
        b"Connection: close, x-a, host\r\n",
        b"Expect: 100-continue\r\n",
        b"Upgrade: h2c\r\n",
        b"Proxy-Authorization: Basic eA==\r\n",
        b"no colon at all\r\n",
        b"\n",
    ]
)


@dataclass(frozen=True)
class Wanted:
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    chunked: bool
    odd: bytes
    cut: int

    def bytes(self, authority: str) -> bytes:
        lines = [f"{self.method} {self.target} HTTP/1.1", f"Host: {authority}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines += ["Transfer-Encoding: chunked"] if self.chunked else [f"Content-Length: {len(self.body)}"]
        head = "\r\n".join(lines).encode() + b"\r\n" + self.odd + b"\r\n"
        return head + (_chunks(self.body, self.cut) if self.chunked else self.body)


def _chunks(body: bytes, size: int) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


WANTED = st.builds(
    Wanted,
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get", "TRACE", "X"]),
    target=TARGETS,
    headers=st.lists(st.tuples(NAMES, VALUES), max_size=4).map(tuple),
    body=st.binary(max_size=300),
    chunked=st.booleans(),
    odd=ODD,
    cut=st.integers(1, 60),
)
FUZZED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def asked(run: OpenRun, authority: str, request: bytes, cut: int) -> bytes:
    """Inside a tunnel, in pieces; whatever the gateway says until it closes."""
    with run.raw() as connection:
        connection.sendall(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
        assert b" 200 " in connection.recv(65536)
        with run.tls().wrap_socket(connection, server_hostname=API) as inside:
            with contextlib.suppress(OSError, ssl.SSLError):
                for at in range(0, len(request), cut * 7):
                    inside.sendall(request[at : at + cut * 7])
            if b"\r\nExpect" in request or request.count(b"Content-Length") + request.count(b"Transfer") != 1:
                inside.settimeout(0.3)  # it may wait for more than we have
            return said(inside)


@FUZZED
@given(wanted=WANTED)
def test_what_arrives_is_what_was_asked_or_nothing(wanted: Wanted, world: World) -> None:
    run = world.open(world.rule(effect="write"), decoys=DECOYS)
    before, others = len(world.api.seen.requests), len(world.other.seen.requests)
    authority = f"{API}:{world.api.port}"

    answer = asked(run, authority, wanted.bytes(authority), wanted.cut)
    run.close()

    arrived = world.api.seen.requests[before:]
    assert len(world.other.seen.requests) == others
    assert len(arrived) <= 1
    assert len([record for record in run.records if record.verdict == "sent"]) == len(arrived)
    assert answer.startswith(b"HTTP/1.1 ") or not answer
    if wanted.odd == b"" and wanted.method.isupper() and wanted.method not in ("TRACE", "X"):
        assert len(arrived) == 1, answer[:300]
    for got in arrived:
        assert (got.method, got.target) == (wanted.method, wanted.target)
        assert not {"proxy-authorization", "upgrade", "expect"} & set(got.headers)
        assert got.headers["host"] == authority
        if not wanted.odd:
            assert got.body == wanted.body
            assert all(got.headers.get(name.lower()) is not None for name, _ in wanted.headers)


PLACES = ("target", "header value", "header name", "body", "odd")


@FUZZED
@given(wanted=WANTED, place=st.sampled_from(PLACES), at=st.integers(0, 300))
def test_nothing_arrives_when_a_decoy_stands_in_any_place(
    wanted: Wanted, place: str, at: int, world: World
) -> None:

    match place:
        case "target":
            wanted = replace(wanted, target=wanted.target + VALUE)
        case "header value":
            wanted = replace(wanted, headers=(*wanted.headers, ("x-last", f"a{VALUE}b")))
        case "header name":
            wanted = replace(wanted, headers=((f"x-{VALUE}", "1"), *wanted.headers))
        case "body":
            body = wanted.body[:at] + VALUE.encode() + wanted.body[at:]
            wanted = replace(wanted, body=body, odd=b"")
        case _:
            wanted = replace(wanted, odd=f"X-Odd: {VALUE}\r\n".encode())
    run = world.open(world.rule(effect="write"), decoys=DECOYS)
    before = len(world.api.seen.requests)
    authority = f"{API}:{world.api.port}"

    asked(run, authority, wanted.bytes(authority), wanted.cut)
    run.close()

    assert world.api.seen.requests[before:] == []
    assert run.records
    assert all(record.verdict != "sent" and record.bytes_out == 0 for record in run.records)
