"""Placeholders become values on the way out, values become placeholders on the way back."""

from __future__ import annotations

import base64

import pytest

from services.executor.egress.model import SecretBinding
from shared.agentfile.model import HostRule
from tests.unit.executor.egress.conftest import API, OTHER, PLAIN, OpenRun, World

VALUE = "s3cr3t/value+for=the shop"
MARK = "AB_SECRET_SHOP_KEY_7f3a9c"
BINDING = SecretBinding("SHOP_KEY", API, MARK)


def reveal(name: str) -> str:
    assert name == "SHOP_KEY"
    return VALUE


def secret_run(world: World, *hosts: HostRule) -> OpenRun:
    rules = hosts or (world.rule(effect="write"), world.rule(OTHER))
    return world.open(*rules, secrets=(BINDING,), reveal=reveal)


def test_the_bound_host_gets_the_value_and_the_code_the_placeholder(world: World) -> None:
    run = secret_run(world)

    with run.session() as session:
        answer = session.get(world.url("/echo"), headers={"Authorization": f"Bearer {MARK}"})

    assert world.api.seen.requests[-1].headers["authorization"] == f"Bearer {VALUE}"
    assert answer.json()["headers"]["authorization"] == f"Bearer {MARK}"
    assert answer.headers["x-echo"] == f"Bearer {MARK}"


def test_the_value_inside_http_basic_is_exchanged(world: World) -> None:
    run = secret_run(world)

    with run.session() as session:
        answer = session.get(world.url("/echo"), auth=("shop", MARK))

    sent = world.api.seen.requests[-1].headers["authorization"]
    assert base64.b64decode(sent.removeprefix("Basic ")).decode() == f"shop:{VALUE}"
    assert sent.removeprefix("Basic ") not in answer.text
    assert base64.b64encode(VALUE.encode())[:-4].decode() not in answer.text


def test_another_host_gets_the_placeholder_only(world: World) -> None:
    run = secret_run(world)

    with run.session() as session:
        session.get(world.url("/echo"), headers={"Authorization": MARK})
        session.get(world.url("/echo", OTHER), headers={"Authorization": MARK, "X-Also": f"k={MARK}"})

    assert world.other.seen.requests[-1].headers["authorization"] == MARK
    assert VALUE not in str(world.other.seen.requests[-1])


def test_body_and_address_keep_the_placeholder(world: World) -> None:
    run = secret_run(world)

    with run.session() as session:
        session.post(world.url(f"/echo?key={MARK}"), data=f"key={MARK}", headers={"X-Key": MARK})

    received = world.api.seen.requests[-1]
    assert received.headers["x-key"] == VALUE
    assert (received.target, received.body) == (f"/echo?key={MARK}", f"key={MARK}".encode())


def test_a_compressed_echo_is_masked(world: World) -> None:
    run = secret_run(world)

    with run.session() as session:
        answer = session.get(world.url("/echo-gzip"), headers={"X-Key": MARK, "Accept-Encoding": "gzip, br"})

    assert VALUE not in answer.text
    assert answer.json()["x-key"] == MARK
    assert world.api.seen.requests[-1].headers["accept-encoding"] == "identity"


def test_an_answer_that_cannot_be_searched_is_withheld(world: World) -> None:
    run = secret_run(world)

    with run.session() as session:
        answer = session.get(world.url("/echo-brotli"), headers={"X-Key": MARK})

    assert (answer.status_code, answer.json()["code"]) == (502, "unreadable_answer")


def test_a_value_that_drips_in_small_pieces_is_masked(world: World) -> None:
    run = secret_run(world)

    with run.session() as session:
        answer = session.get(world.url("/drip"), headers={"Authorization": MARK})

    assert answer.text == f"before {MARK} after"


def test_a_value_echoed_by_another_host_is_masked_too(world: World) -> None:
    run = secret_run(world)

    with run.session() as session:
        session.get(world.url("/"), headers={"X-Key": MARK})
        answer = session.get(world.url("/echo", OTHER), headers={"X-Tell": VALUE})

    assert answer.json()["headers"]["x-tell"] == MARK


def test_records_hold_the_placeholder(world: World) -> None:
    run = world.open(world.rule(effect="write"), secrets=(BINDING,), reveal=reveal, mode="rehearsal")

    with run.session() as session:
        session.get(world.url("/echo"), headers={"X-Key": MARK})
        session.post(world.url("/pay"), data=f"key={MARK}", headers={"X-Key": MARK})
    run.close()

    assert VALUE not in str(run.records)
    assert run.records[-1].body_preview == f"key={MARK}".encode()


def test_the_value_is_asked_for_once_and_only_when_needed(world: World) -> None:
    asked: list[str] = []

    def counting(name: str) -> str:
        asked.append(name)
        return VALUE

    run = world.open(world.rule(), secrets=(BINDING,), reveal=counting)
    with run.session() as session:
        session.get(world.url("/"))
        assert asked == []
        session.get(world.url("/"), headers={"X-Key": MARK})
        session.get(world.url("/"), headers={"X-Key": MARK})

    assert asked == ["SHOP_KEY"]


@pytest.mark.parametrize("trouble", [KeyError("SHOP_KEY is s3cr3t"), RuntimeError("no key service")])
def test_an_unreadable_secret_is_a_bad_gateway_without_details(world: World, trouble: Exception) -> None:
    def failing(name: str) -> str:
        raise trouble

    run = world.open(world.rule(), secrets=(BINDING,), reveal=failing)
    before = len(world.api.seen.requests)
    with run.session() as session:
        answer = session.get(world.url("/"), headers={"X-Key": MARK})

    assert (answer.status_code, answer.json()["code"]) == (502, "secret_unavailable")
    assert "s3cr3t" not in answer.text
    assert len(world.api.seen.requests) == before


def test_a_value_with_a_line_break_cannot_add_a_header(world: World) -> None:
    run = world.open(world.rule(), secrets=(BINDING,), reveal=lambda _: "x\r\nX-Injected: 1")
    before = len(world.api.seen.requests)

    with run.session() as session:
        answer = session.get(world.url("/"), headers={"X-Key": MARK})

    assert (answer.status_code, answer.json()["code"]) == (403, "secret_not_a_header")
    assert "Injected" not in answer.text
    assert len(world.api.seen.requests) == before


def test_a_secret_is_not_sent_unencrypted_to_a_public_host(world: World) -> None:
    public = SecretBinding("SHOP_KEY", "shop.example.com", MARK)
    run = world.open(
        HostRule(host="shop.example.com", scheme="http", port=80), secrets=(public,), reveal=reveal
    )
    world.lookups.clear()

    with run.session() as session:
        answer = session.get("http://shop.example.com/", headers={"X-Key": MARK})

    assert (answer.status_code, answer.json()["code"]) == (403, "secret_needs_https")
    assert world.lookups == []


def test_a_listed_private_host_may_get_a_secret_by_http(world: World) -> None:
    binding = SecretBinding("SHOP_KEY", PLAIN, MARK)
    run = world.open(world.rule(PLAIN), secrets=(binding,), reveal=reveal)

    with run.session() as session:
        session.get(world.url("/", PLAIN), headers={"X-Key": MARK})

    assert world.plain.seen.requests[-1].headers["x-key"] == VALUE
