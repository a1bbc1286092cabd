"""A builder elsewhere finds the package index through executor-egress, for reading, and nothing else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from services.executor.attempts.doors import door_of, save_door
from services.executor.attempts.index_ways import RemoteIndexWays
from services.executor.egress.carrier import Carrier
from tests.unit.executor.egress.conftest import World
from tests.unit.executor.egress.elsewhere import CAUSE, CLOCK, Elsewhere, PackageIndex

INDEX = f"http://{PackageIndex.host}"


@pytest.fixture
def elsewhere(world: World, tmp_path: Path) -> Iterator[Elsewhere]:
    made = Elsewhere(world, tmp_path)
    yield made
    made.close()


def opened(elsewhere: Elsewhere, id: str) -> tuple[RemoteIndexWays, Path]:
    ways = RemoteIndexWays(elsewhere.side.store, CLOCK, elsewhere.ring)
    ca = elsewhere.folder / f"{id}.pem"
    ca.write_text(ways.open(id, "wsp_one", 600, socket.create_server(("127.0.0.1", 0))))
    return ways, ca


def leads_there(elsewhere: Elsewhere, carrier: Carrier, ca: Path) -> bool:
    with elsewhere.code(carrier, ca) as code:
        try:
            return code.get(f"{INDEX}/simple/lantern/").ok
        except requests.ConnectionError:
            return False


def test_a_builder_reads_the_index_and_reaches_nothing_else(elsewhere: Elsewhere) -> None:
    _ways, ca = opened(elsewhere, "bld_1")
    process = elsewhere.process()

    with elsewhere.code(elsewhere.carrier(process, "bld_1"), ca) as code:
        read = code.get(f"{INDEX}/simple/lantern/")
        refused = [
            code.post(f"{INDEX}/simple/", data=b"x"),
            code.put(f"{INDEX}/files/x", data=b"x"),
            code.get(f"https://{PackageIndex.host}/simple/"),
            code.get("http://practice.agentbuilder.test/"),
            code.get(elsewhere.world.url("/items")),
        ]

    assert (read.status_code, read.text) == (200, "GET /simple/lantern/")
    assert [answer.status_code for answer in refused] == [403] * len(refused)


def test_no_other_token_leads_to_the_index(elsewhere: Elsewhere) -> None:
    _ways, ca = opened(elsewhere, "bld_1")
    process = elsewhere.process()
    run_ca = elsewhere.open(elsewhere.recorder())

    assert not leads_there(elsewhere, elsewhere.carrier(process, "bld_2"), ca)
    with elsewhere.code(elsewhere.carrier(process, "att_1"), run_ca) as code:
        assert code.get(f"{INDEX}/simple/lantern/").status_code == 403


def test_what_was_sealed_for_a_run_is_no_way_to_the_index(elsewhere: Elsewhere) -> None:
    ca = elsewhere.open(elsewhere.recorder())
    store = elsewhere.side.store
    door = door_of(store, "att_1")
    assert door is not None
    nobodys = door.but(run_id="")
    store.transact(lambda tx: save_door(tx, nobodys), cause=CAUSE)

    assert not leads_there(elsewhere, elsewhere.carrier(elsewhere.process()), ca)


def test_a_builders_way_ends_with_it(elsewhere: Elsewhere) -> None:
    ways, ca = opened(elsewhere, "bld_1")
    process = elsewhere.process()
    with elsewhere.code(elsewhere.carrier(process, "bld_1"), ca) as code:
        assert code.get(f"{INDEX}/simple/lantern/").ok

    ways.close("bld_1")
    ways.close("bld_1")

    assert door_of(elsewhere.side.store, "bld_1") is None
    waiting = threading.Event()
    for _ in range(300):
        if not leads_there(elsewhere, elsewhere.carrier(process, "bld_1"), ca):
            return
        waiting.wait(0.1)
    raise AssertionError("it still leads there")
