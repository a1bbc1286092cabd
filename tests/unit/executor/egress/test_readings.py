"""Whether an address came from something the code had read: bounded, and asked only when a host is refused."""

from __future__ import annotations

import gzip

import pytest

from services.executor.egress.readings import Readings
from shared.agentfile.model import HostRule
from tests.unit.executor.egress.conftest import PLAIN, World

HIDDEN = "hidden-place.example"


def test_a_name_is_known_from_plain_and_compressed_answers_in_any_case() -> None:
    readings = Readings()
    assert not readings.mention(HIDDEN)
    readings.begin()
    readings.add(b"see HTTPS://Hidden-Pl")
    readings.add(b"ace.Example/now")
    assert readings.mention(HIDDEN)
    assert not readings.mention("other-place.example")

    packed = Readings()
    packed.begin()
    data = gzip.compress(b"x" * 9000 + HIDDEN.encode())
    packed.add(data[:20])
    packed.add(data[20:])
    assert packed.mention(HIDDEN)


def test_what_is_kept_is_bounded_and_the_newest_stays() -> None:
    readings = Readings()
    readings.begin()
    readings.add(HIDDEN.encode())
    for number in range(300):
        readings.begin()
        readings.add(b"%d" % number + b"z" * 100_000)
    assert not readings.mention(HIDDEN)
    readings.begin()
    for _ in range(100):
        readings.add(b"z" * 100_000)
    readings.add(HIDDEN.encode())
    assert readings.mention(HIDDEN)
    assert readings.size <= 3 << 20


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("read", [True, False])
def test_a_refused_host_is_marked_when_its_name_was_read_before(
    scheme: str, read: bool, world: World
) -> None:
    run = world.open(world.rule(PLAIN))
    world.plain.seen.pages["/page"] = ("text/html", f'<a href="https://{HIDDEN}/x">more</a>'.encode())
    with run.session() as session:
        if read:
            session.get(world.url("/page", PLAIN))
        session.get(f"{scheme}://{HIDDEN}/x")
    run.close()
    last = run.records[-1]
    assert (last.undeclared, last.mentioned) == (True, read)


def test_an_unused_tunnel_to_a_host_nobody_allowed_is_on_record(world: World) -> None:
    run = world.open(HostRule(host="shop.example.com"))
    for after in (b"", b"GET / HTTP/1.1\r\n\r\n"):
        with run.raw() as connection:
            connection.sendall(f"CONNECT {HIDDEN}:443 HTTP/1.1\r\nHost: {HIDDEN}:443\r\n\r\n".encode())
            assert b"200" in connection.recv(1000)
            connection.sendall(after)
    run.close()
    assert [(record.reason, record.host) for record in run.records] == [("undeclared_host", HIDDEN)] * 2
