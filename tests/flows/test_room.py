"""A machine with room for two runs: others wait in a fair line, see their place, and are called in turn."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.executor.attempts.admission import Admission, Wish
from services.executor.deps import Deps
from shared.store.port import Query, Where
from tests.flows.gate import Gate
from tests.flows.house import House
from tests.flows.imports import LIVE_ONLY, agent_zip, allowed, local
from tests.flows.person import Json, Person

MAIN = """
import urllib.request
urllib.request.urlopen("http://127.0.0.1:{port}/").read()
agent.deliver("inbox", "done")
"""


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.close()


@pytest.fixture(params=[0, 7], ids=["in-order", "doubled-and-shuffled"])
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, gate: Gate
) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"), open_ports=(gate.port,), disorder=request.param)
    made.open()
    yield made
    made.close()


def line_of(house: House) -> Admission:
    assert house.application is not None
    deps = house.application.services["executor"].deps
    assert isinstance(deps, Deps)
    return deps.attempts.line


def _filler(number: int) -> Wish:
    return Wish(f"filler{number}", f"other{number}", 0)


def start(person: Person, agent_id: str) -> str:
    return str(person.call("POST", f"/api/v1/agents/{agent_id}/runs", {})["id"])


def waits(person: Person, run_id: str) -> bool:
    """Whether it waits for room, once it either does or runs."""
    found = person.wait(
        f"/api/v1/runs/{run_id}", lambda run: run["status"] == "running" or run["place"] is not None
    )
    return bool(found["status"] == "queued")


def shows_its_place(person: Person, line: Admission, run_id: str) -> None:
    person.wait(f"/api/v1/runs/{run_id}", lambda run: run["place"] == line.places()[run_id])


def entries(house: House, run_id: str) -> list[Json]:
    found = house.databases.read("executor").query(
        Query("run_entries", (Where("run_id", "==", run_id),), order_by="seq", limit=50)
    )
    return [document.data["data"] for document in found if document.data["kind"] == "status"]


def test_runs_beyond_the_room_wait_show_their_place_and_all_come_to_their_turn(
    house: House, gate: Gate
) -> None:
    person = house.person()
    main = LIVE_ONLY + MAIN.format(port=gate.port)
    agents = [allowed(person, agent_zip(main, hosts=[local(gate.port)]))["agent_id"] for _ in range(5)]
    line = line_of(house)
    for filler in range(line.slots - 2):  # as a small machine would be
        assert line.enter(f"filler{filler}", _filler(filler)) == 0
    gate.shut()
    runs = [start(person, agent) for agent in agents]

    waiting = [run for run in runs if waits(person, run)]
    assert len(waiting) == 3
    for run in waiting:  # who came late may have been asked for before: places are put right at the next tick
        shows_its_place(person, line, run)
    assert sorted(line.places().values()) == [1, 2, 3]
    told = [entry for entry in entries(house, waiting[0]) if "place" in entry]
    assert told[0]["reason"] == f"{told[0]['place']}번째로 기다려요."
    gate.open()

    over = [person.run(run) for run in runs]
    assert [run["outcome"] for run in over] == ["delivered"] * 5, [run["reason"] for run in over]
    assert {run["place"] for run in over} == {None}
    assert {run["attempt"] for run in over} == {1}
    assert (line.places(), line.called()) == ({}, [])


def test_a_run_that_is_cancelled_while_it_waits_leaves_the_line(house: House, gate: Gate) -> None:
    person = house.person()
    main = LIVE_ONLY + MAIN.format(port=gate.port)
    agents = [allowed(person, agent_zip(main, hosts=[local(gate.port)]))["agent_id"] for _ in range(3)]
    line = line_of(house)
    for filler in range(line.slots - 1):
        line.enter(f"filler{filler}", _filler(filler))
    gate.shut()
    first = start(person, agents[0])
    gate.wait_for_somebody()
    second, third = start(person, agents[1]), start(person, agents[2])
    assert waits(person, second)
    assert waits(person, third)

    person.call("POST", f"/api/v1/runs/{second}/cancel", {})

    assert person.run(second)["status"] == "cancelled"
    person.wait(f"/api/v1/runs/{third}", lambda run: run["place"] == 1)
    gate.open()
    assert [person.run(run)["outcome"] for run in (first, third)] == ["delivered"] * 2
