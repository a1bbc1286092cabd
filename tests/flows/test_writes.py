"""Writes: shown in a rehearsal, let through one at a time, made live, listed, and never repeated by themselves."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.upstream import Upstream
from tests.flows.house import House, new_house
from tests.flows.imports import LIVE_ONLY, agent_zip, allowed, live_run, local
from tests.flows.person import Answered, Json, Person
from tests.flows.rehearsing import id_of, shown_then_made, writing_agent
from tests.flows.shops import Shops

ORDERS = """
import agent, urllib.request
def order(number):
    request = urllib.request.Request("{base}/orders?n=" + number, data=b"one mug, number " + number.encode())
    return urllib.request.urlopen(request).read().decode()
print([order(number) for number in "123"], order("2"))
agent.deliver("inbox", "ordered")
"""


@pytest.fixture(scope="module")
def sink() -> Iterator[Upstream]:
    with Upstream() as made:
        yield made


@pytest.fixture(scope="module")
def shop_nobody_allowed() -> Iterator[Shops]:
    made = Shops()
    yield made
    made.close()


@pytest.fixture(scope="module")
def house(
    tmp_path_factory: pytest.TempPathFactory, sink: Upstream, shop_nobody_allowed: Shops
) -> Iterator[House]:
    ports = (sink.port, shop_nobody_allowed.port)
    made = new_house(tmp_path_factory.mktemp("writes"), open_ports=ports).open()
    yield made
    made.close()


@pytest.fixture
def person(house: House, sink: Upstream) -> Person:
    sink.seen.requests.clear()
    return house.person(patience_s=40)


def may_write(sink: Upstream) -> list[dict[str, object]]:
    return [local(sink.port, effect="write")]


# `python -m tests.prove.rehearsals` does thirty, with other libraries as well.
@pytest.mark.deployed
@pytest.mark.parametrize("seed", random.Random(5).sample(range(30), 3))
def test_a_live_run_makes_exactly_the_writes_its_rehearsal_showed(
    seed: int, person: Person, sink: Upstream
) -> None:
    found = shown_then_made(person, sink, writing_agent(seed, "urllib"))
    assert found["early"] == 0
    assert found["received"] == found["wanted"]
    assert found["seen"] == found["shown"]
    assert len(found["listed"]) == len(found["wanted"])


def rehearsal_of(person: Person, sink: Upstream) -> Json:
    code = ORDERS.format(base=f"http://127.0.0.1:{sink.port}")
    conversation = allowed(person, agent_zip(code, hosts=may_write(sink)))
    found: Json = person.call("GET", f"/api/v1/runs/{conversation['test_run_id']}")
    assert sink.seen.requests == []
    return found


@pytest.mark.deployed
def test_exactly_the_one_write_leaves_once_when_a_person_lets_it_through(
    person: Person, sink: Upstream
) -> None:
    rehearsal = rehearsal_of(person, sink)
    shown = rehearsal["would_send"]
    assert [write["url"][-1] for write in shown] == ["1", "2", "3", "2"]
    assert shown[1]["id"] == shown[3]["id"], "the same request has the same id"
    path = f"/api/v1/runs/{rehearsal['id']}/writes/{shown[1]['id']}/decision"

    first, again = (person.call("POST", path, {"decision": "send"}) for _ in range(2))
    promised = person.call("GET", f"/api/v1/runs/{first['id']}")
    after = person.run(first["id"])

    assert first == again
    assert promised["kind"] == "test"
    assert (after["kind"], after["status"]) == ("test", "succeeded"), after["reason"]
    assert [id_of(got, sink.port) for got in sink.seen.requests] == [shown[1]["id"]]
    assert [write["url"][-1] for write in after["would_send"]] == ["1", "3", "2"], "the rest is shown again"
    assert [(write["method"], write["url"]) for write in after["writes"]] == [("POST", shown[1]["url"])]
    assert {delivery["status"] for delivery in after["deliveries"]} == {"shown"}
    conversation = person.call("GET", f"/api/v1/conversations/{rehearsal['conversation_id']}")
    assert (conversation["state"], conversation["test_run_id"]) == ("ready", rehearsal["id"])


@pytest.mark.deployed
def test_nothing_is_sent_when_the_write_was_never_shown_or_the_run_was_no_rehearsal(
    person: Person, sink: Upstream
) -> None:
    rehearsal = rehearsal_of(person, sink)
    wrong = f"/api/v1/runs/{rehearsal['id']}/writes/{'0' * 32}/decision"
    with pytest.raises(Answered) as answer:
        person.call("POST", wrong, {"decision": "send"})
    assert answer.value.status == 404
    right = wrong.replace("0" * 32, rehearsal["would_send"][0]["id"])
    with pytest.raises(Answered) as answer:
        person.call("POST", right, {"decision": "always"})
    assert answer.value.status == 400
    assert sink.seen.requests == []


@pytest.mark.deployed
def test_a_run_that_wrote_and_then_reached_for_more_ends_and_is_not_repeated(
    person: Person, sink: Upstream, shop_nobody_allowed: Shops
) -> None:
    main = f"""
import urllib.request
urllib.request.urlopen("http://127.0.0.1:{sink.port}/orders", data=b"one mug")
urllib.request.urlopen({shop_nobody_allowed.address("a")!r})
"""
    run = live_run(person, main, hosts=may_write(sink))
    assert (run["status"], run["reason"]["code"]) == ("failed", "not_allowed")
    assert run["attempt"] == 1
    (made,) = run["writes"]
    assert (made["method"], made["url"]) == ("POST", f"http://127.0.0.1:{sink.port}/orders")
    assert [got.body for got in sink.seen.requests] == [b"one mug"]
    asked = person.call("GET", "/api/v1/permission-requests?status=open")["items"]
    assert [request for request in asked if request["run_id"] == run["id"]] == []


def test_a_run_cut_after_its_own_write_is_not_repeated_and_lists_it(tmp_path: Path, sink: Upstream) -> None:
    sink.seen.requests.clear()
    sink.seen.arrived.clear()
    main = f"""
import urllib.request
urllib.request.urlopen("http://127.0.0.1:{sink.port}/hold?order=1", data=b"one mug")
"""
    house = House(tmp_path / "cut", open_ports=(sink.port,)).open()
    try:
        person = house.person(patience_s=40)
        data = agent_zip(LIVE_ONLY + main, hosts=may_write(sink))
        agent_id = allowed(person, data)["agent_id"]
        run_id = person.call("POST", f"/api/v1/agents/{agent_id}/runs", {})["id"]
        assert sink.seen.arrived.wait(30)
    finally:
        house.close()
        sink.seen.released.set()
    house = House(tmp_path / "cut", open_ports=(sink.port,)).open()
    try:
        person = house.person(patience_s=40)
        over = person.run(run_id)
        assert (over["status"], over["reason"]["code"]) == ("failed", "wrote_then_lost")
        (made,) = over["writes"]
        assert (made["method"], made["url"].rpartition("/")[2]) == ("POST", "hold?order=1")
        assert made["url"] in over["reason"]["text"]
        assert made["at"][:19] in over["reason"]["text"]
        waiting = person.wait(f"/api/v1/agents/{agent_id}", lambda a: a["waiting"])["waiting"]
        assert [(one["kind"], one["about"]) for one in waiting] == [("failed", run_id)]
        assert made["url"] in waiting[0]["text"]
        again = person.runs(agent_id)
        assert again["status"] == "succeeded", "a person may start it again"
    finally:
        house.close()
    assert len(sink.seen.requests) == 2
