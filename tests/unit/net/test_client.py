"""The platform's own outbound calls, against real servers."""

from __future__ import annotations

import contextlib
import json
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from services.executor.egress.authority import RunAuthority
from shared.clock import SystemClock
from shared.errors import BadRequest, Unavailable
from shared.net.allowance import NO_ALLOWANCE, Allowance
from shared.net.client import OutboundClient, Redirects
from tests.fakes.upstream import Upstream

HOOK, FORGED = "hook.shop.test", "forged.shop.test"


@dataclass
class Net:
    client: OutboundClient
    hook: Upstream
    forged: Upstream
    plain: Upstream
    lookups: list[str]

    def url(self, path: str) -> str:
        return f"https://{HOOK}:{self.hook.port}{path}"


@pytest.fixture(scope="module")
def net() -> Iterator[Net]:
    now = SystemClock().now()
    roots, strangers = RunAuthority(now), RunAuthority(now)
    lookups: list[str] = []

    def resolver(host: str, port: int) -> Sequence[str]:
        lookups.append(host)
        return {"public.shop.test": ("10.0.0.1",)}.get(host, ("127.0.0.1",))

    with (
        Upstream(roots.context(HOOK)) as hook,
        Upstream(strangers.context(FORGED)) as forged,
        Upstream() as plain,
    ):
        pairs = {(HOOK, hook.port), (FORGED, forged.port), ("127.0.0.1", plain.port)}
        trust = ssl.create_default_context(cadata=roots.ca_pem)
        client = OutboundClient(Allowance(frozenset(pairs)), resolver=resolver, tls=trust)
        yield Net(client, hook, forged, plain, lookups)


def test_json_arrives_as_utf8_with_the_callers_headers(net: Net) -> None:
    answer = net.client.post_json(net.url("/echo"), {"text": "새 상품 3개"}, headers={"X-Id": "d1"})

    received = net.hook.seen.requests[-1]
    assert (answer.status, answer.cut) == (200, False)
    assert json.loads(received.body) == {"text": "새 상품 3개"}
    assert (received.headers["x-id"], received.headers["content-type"]) == (
        "d1",
        "application/json; charset=utf-8",
    )
    assert received.headers["host"] == f"{HOOK}:{net.hook.port}"


def test_an_error_status_is_an_answer(net: Net) -> None:
    assert net.client.request("GET", net.url("/away")).status == 302


def test_redirects_are_followed_only_when_asked_and_judged_each(net: Net) -> None:
    followed = net.client.request("GET", net.url("/hop"), redirects=Redirects(2))

    assert (followed.status, followed.url) == (200, net.url("/echo"))
    assert net.client.request("GET", net.url("/hop")).status == 302
    with pytest.raises(BadRequest) as caught:
        net.client.request("GET", net.url("/away"), redirects=Redirects(2))
    assert caught.value.code == "not_a_name"


def test_a_long_answer_is_cut(net: Net) -> None:
    answer = net.client.request("GET", net.url("/big"), max_bytes=1000)

    assert (len(answer.body), answer.cut) == (1000, True)


def test_a_listed_private_endpoint_may_be_plain_http(net: Net) -> None:
    assert net.client.request("GET", f"http://127.0.0.1:{net.plain.port}/x").body == b"ok /x"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://127.0.0.1/", "not_a_name"),
        ("https://[::1]/", "not_a_name"),
        ("http://public.shop.test/", "plain_http"),
        ("https://user@public.shop.test/", "bad_url"),
    ],
)
def test_a_bad_address_is_refused_before_any_lookup(net: Net, url: str, code: str) -> None:
    net.lookups.clear()

    with pytest.raises(BadRequest) as caught:
        net.client.request("GET", url)

    assert caught.value.code == code
    assert net.lookups == []


def test_a_name_at_a_private_address_is_refused(net: Net) -> None:
    with pytest.raises(BadRequest) as caught:
        net.client.post_json("https://public.shop.test/", {})

    assert caught.value.code == "address_refused"


def test_a_certificate_from_strangers_is_refused(net: Net) -> None:
    with pytest.raises(BadRequest) as caught:
        net.client.post_json(f"https://{FORGED}:{net.forged.port}/", {})

    assert caught.value.code == "bad_certificate"
    assert net.forged.seen.requests == []


@pytest.mark.parametrize("path", ["/hangup", "/cut"])
def test_no_answer_after_sending_is_told_apart_from_unreachable(net: Net, path: str) -> None:
    with pytest.raises(Unavailable) as caught:
        net.client.post_json(net.url(path), {})

    assert caught.value.code == "no_answer"


def test_a_closed_port_is_unreachable(net: Net) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    client = OutboundClient(
        Allowance(frozenset({("gone.shop.test", port)})), resolver=lambda *_: ("127.0.0.1",)
    )

    with pytest.raises(Unavailable) as caught:
        client.post_json(f"https://gone.shop.test:{port}/", {})

    assert caught.value.code == "unreachable"


def test_a_server_that_stays_silent_runs_into_the_deadline(net: Net) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        client = OutboundClient(Allowance.parse(f"127.0.0.1:{port}"), resolver=lambda host, _: (host,))

        with pytest.raises(Unavailable) as caught:
            client.request("GET", f"http://127.0.0.1:{port}/", timeout_s=0.05)

    assert caught.value.code == "no_answer"


@pytest.mark.parametrize(
    "headers", [{"X-A": "1\r\nX-B: 2"}, {"X A": "1"}, {"X-A": "1\x00"}, {"": "1"}, {"X-A": "한글"}]
)
def test_headers_cannot_be_injected(net: Net, headers: dict[str, str]) -> None:
    before = len(net.hook.seen.requests)

    with pytest.raises(BadRequest):
        net.client.post_json(net.url("/echo"), {}, headers=headers)

    assert len(net.hook.seen.requests) == before


def test_framing_and_host_headers_are_ours(net: Net) -> None:
    net.client.post_json(net.url("/echo"), {"a": 1}, headers={"Host": "evil.example", "Content-Length": "1"})

    received = net.hook.seen.requests[-1]
    assert (received.headers["host"], received.body) == (f"{HOOK}:{net.hook.port}", b'{"a":1}')


def test_other_protocols_get_a_judged_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def greet() -> None:
            accepted, _ = listener.accept()
            with accepted:
                accepted.sendall(b"220 mail.shop.test\r\n")
                accepted.recv(100)

        thread = threading.Thread(target=greet)
        thread.start()
        client = OutboundClient(Allowance.parse(f"127.0.0.1:{port}"), resolver=lambda host, _: (host,))
        with contextlib.closing(client.connect("127.0.0.1", port)) as connection:
            assert connection.recv(100).startswith(b"220")
        thread.join()

    with pytest.raises(BadRequest):
        OutboundClient(NO_ALLOWANCE).connect("127.0.0.1", smtplib.SMTP_PORT)
