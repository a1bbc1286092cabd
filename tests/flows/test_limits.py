"""Each limit ends a run with its own named reason, said in words; and the run beside it comes to its end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.flows.house import House
from tests.flows.imports import LIVE_ONLY, agent_zip, allowed
from tests.flows.person import Person

MAIN = """
import os, time
what = (agent.input or {}).get("do")
if what == "wall":
    time.sleep(60)
elif what == "memory":
    hold = [bytearray(8 << 20) for _ in range(40)]
elif what == "processes":
    for _ in range(40):
        if not os.fork():
            time.sleep(60)
elif what == "disk":
    with open("big", "wb") as file:
        while True:
            file.write(bytes(1 << 20))
elif what == "inodes":
    for n in range(100_000):
        open(f"file{n}", "w").close()
elif what == "files":
    kept = [open("/app/main.py") for _ in range(10_000)]
elif what == "output":
    while True:
        print("x" * 10_000)
agent.deliver("inbox", "came to its end")
"""
LIMITS = "\n[manifest.limits]\nwall_s = 4\nmemory_mb = 128\ndisk_mb = 32\nprocesses = 16\n"
SAYS = {
    "wall": "정해진 시간",
    "memory": "메모리",
    "processes": "동시에",
    "disk": "저장 공간",
    "inodes": "파일을 너무 많이 만들었",
    "files": "파일을 너무 많이 열었",
    "output": "출력이 너무 많았",
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("limits")).open()
    yield made
    made.close()


@pytest.fixture(scope="module")
def person(house: House) -> Person:
    return house.person()


@pytest.fixture(scope="module")
def agent_id(person: Person) -> str:
    return str(allowed(person, agent_zip(LIVE_ONLY + MAIN, more=LIMITS))["agent_id"])


@pytest.fixture(scope="module")
def neighbour(person: Person) -> str:
    return str(allowed(person, agent_zip(LIVE_ONLY + MAIN))["agent_id"])


@pytest.mark.parametrize("limit", sorted(SAYS))
def test_the_run_ends_with_the_reason_and_its_neighbour_with_a_delivery_when_it_meets_the_limit_of(
    limit: str, person: Person, agent_id: str, neighbour: str
) -> None:
    asked = {"input": {"do": limit}}
    run_id = person.call("POST", f"/api/v1/agents/{agent_id}/runs", asked)["id"]
    beside = person.runs(neighbour)
    run = person.run(run_id)

    assert run["status"] == ("timed_out" if limit == "wall" else "failed"), run["reason"]
    assert (run["reason"]["code"], run["outcome"]) == (limit, "not_delivered")
    assert SAYS[limit] in run["reason"]["text"]
    assert person.call("GET", f"/api/v1/runs/{run_id}/receipts")["items"] == []
    assert (beside["status"], beside["outcome"]) == ("succeeded", "delivered"), beside["reason"]
