"""What an agent remembers can be rewound: nothing is lost by it, and a run under way does not undo it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.flows.gate import Gate
from tests.flows.house import PROFILE, House, new_house
from tests.flows.imports import LIVE_ONLY, agent_zip, allowed, local
from tests.flows.person import Answered, Json, Person

COUNTER = """
import urllib.request
agent.state["count"] = agent.state.get("count", 0) + 1
urllib.request.urlopen("http://127.0.0.1:{port}/").read()
print("COUNT", agent.state["count"])
agent.output("lines.csv").write_text("a\\n" * int((agent.input or {{}}).get("lines", 3)))
agent.deliver("inbox", "count " + str(agent.state["count"]))
"""


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.close()


@pytest.fixture(params=[0, 7], ids=["in-order", "doubled-and-shuffled"])
def person(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, gate: Gate
) -> Iterator[Person]:
    folder, ports = tmp_path_factory.mktemp("house"), (gate.port,)
    house = (
        new_house(folder, open_ports=ports)
        if PROFILE
        else House(folder, open_ports=ports, disorder=request.param)
    )
    house.open()
    yield house.person()
    house.close()


def a_counter(person: Person, gate: Gate) -> str:
    main = LIVE_ONLY + COUNTER.format(port=gate.port)
    made = allowed(person, agent_zip(main, hosts=[local(gate.port)], state=True))
    agent_id: str = made["agent_id"]
    return agent_id


def said(person: Person, run: Json) -> str:
    (receipt,) = person.call("GET", f"/api/v1/runs/{run['id']}/receipts")["items"]
    return str(receipt["text"])


def versions(person: Person, agent_id: str) -> list[Json]:
    found: list[Json] = person.call("GET", f"/api/v1/agents/{agent_id}/state/versions")["items"]
    return found


def rewound(person: Person, agent_id: str, number: int) -> list[Json]:
    person.call("POST", f"/api/v1/agents/{agent_id}/state/rewind", {"number": number})
    path = f"/api/v1/agents/{agent_id}/state/versions"
    items: list[Json] = person.wait(path, lambda found: found["rewinding"] is None)["items"]
    return items


def line(state: Json) -> tuple[int, bool, str, int | None]:
    return state["number"], state["current"], state["standing"], state["rewound_from"]


@pytest.mark.deployed
def test_the_next_run_begins_with_the_old_content_when_it_was_rewound(person: Person, gate: Gate) -> None:
    agent_id = a_counter(person, gate)
    first, second = person.runs(agent_id), person.runs(agent_id)
    assert (said(person, first), said(person, second)) == ("count 1", "count 2")

    items = rewound(person, agent_id, 1)

    assert [line(state) for state in items] == [
        (3, True, "promoted", 1),
        (2, False, "promoted", None),
        (1, False, "promoted", None),
    ]
    assert items[0]["run_id"] == first["id"]
    assert said(person, person.runs(agent_id)) == "count 2"
    assert line(rewound(person, agent_id, 2)[0]) == (5, True, "promoted", 2)
    assert said(person, person.runs(agent_id)) == "count 3"
    # It remembers just that already: nothing to do, and nothing is made of it.
    assert line(rewound(person, agent_id, 6)[0]) == (6, True, "promoted", None)


@pytest.mark.deployed
def test_a_run_that_began_before_the_rewind_ends_as_it_began_and_does_not_undo_it(
    person: Person, gate: Gate
) -> None:
    agent_id = a_counter(person, gate)
    person.runs(agent_id)
    person.runs(agent_id)
    gate.shut()
    under_way = person.call("POST", f"/api/v1/agents/{agent_id}/runs", {})["id"]
    gate.wait_for_somebody()

    items = rewound(person, agent_id, 1)
    assert line(items[0]) == (3, True, "promoted", 1)
    gate.open()

    assert said(person, person.run(under_way)) == "count 3"
    assert [line(state) for state in versions(person, agent_id)][:2] == [
        (4, False, "aside", None),
        (3, True, "promoted", 1),
    ]
    assert said(person, person.runs(agent_id)) == "count 2"
    # What was set aside is not lost: it can be rewound to like any other.
    rewound(person, agent_id, 4)
    assert said(person, person.runs(agent_id)) == "count 4"


@pytest.mark.deployed
def test_what_a_run_left_whose_contract_did_not_hold_is_shown_and_never_begun_with(
    person: Person, gate: Gate
) -> None:
    rows = '\n[[contract]]\ncheck = "rows"\npath = "outputs/lines.csv"\nmin = 2\nsays = "두 줄 이상"\n'
    main = (
        "import agent\nagent.output('lines.csv').write_text('h\\na\\nb\\n')\n"
        + LIVE_ONLY
        + COUNTER.format(port=gate.port)
    )
    made = allowed(person, agent_zip(main, hosts=[local(gate.port)], state=True, more=rows))
    agent_id = made["agent_id"]
    person.runs(agent_id)
    path = f"/api/v1/agents/{agent_id}/runs"
    broken = person.run(person.call("POST", path, {"input": {"lines": 1}})["id"])
    assert (broken["outcome"], broken["reason"]["code"]) == ("not_delivered", "contract")

    assert [line(state) for state in versions(person, agent_id)] == [
        (2, False, "candidate", None),
        (1, True, "promoted", None),
    ]
    with pytest.raises(Answered) as refused:
        person.call("POST", f"/api/v1/agents/{agent_id}/state/rewind", {"number": 2})
    assert (refused.value.status, refused.value.body["code"]) == (409, "state_candidate")
    assert said(person, person.runs(agent_id)) == "count 2"
    assert line(versions(person, agent_id)[0]) == (3, True, "promoted", None)
