"""Each limit ends a run with its own named reason, said in words; and the run beside it comes to its end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.flows.gate import Gate
from tests.flows.house import House, new_house
from tests.flows.imports import LIVE_ONLY, agent_zip, allowed, local
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
# Time is short only where it is the limit to meet: a busy machine may need long for the others.
LIMITS = "\n[manifest.limits]\nwall_s = {wall_s}\nmemory_mb = 128\ndisk_mb = 32\nprocesses = 16\n"
SAYS = {
    "wall": "정해진 시간",
    "memory": "메모리",
    "processes": "동시에",
    "disk": "저장 공간",
    "inodes": "파일을 너무 많이 만들었",
    "files": "파일을 너무 많이 열었",
    "output": "출력이 너무 많았",
}


FETCH = """
import urllib.request
urllib.request.urlopen("http://127.0.0.1:{port}/").read()
agent.deliver("inbox", "fetched")
"""
# Every connection it can have, requests without end, and words that are no requests.
FLOOD = """
import socket, threading, urllib.request
def ask():
    while True:
        try:
            urllib.request.urlopen("http://127.0.0.1:{port}/").read()
        except OSError:
            pass
def shout():
    while True:
        try:
            with socket.create_connection(("127.0.0.1", 3128), 1) as line:
                line.sendall(b"\\0" * 60_000)
        except OSError:
            pass
held = [socket.socket() for _ in range(100)]
for line in held:
    line.setblocking(False)
    line.connect_ex(("127.0.0.1", 3128))
for _ in range(4):
    threading.Thread(target=ask, daemon=True).start()
    threading.Thread(target=shout, daemon=True).start()
print("at it", flush=True)
threading.Event().wait()
"""


@pytest.fixture(scope="module")
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, gate: Gate) -> Iterator[House]:
    made = new_house(tmp_path_factory.mktemp("limits"), open_ports=(gate.port,)).open()
    yield made
    made.close()


@pytest.fixture(scope="module")
def person(house: House) -> Person:
    return house.person()


@pytest.fixture(scope="module")
def patient(person: Person) -> str:
    return str(allowed(person, agent_zip(LIVE_ONLY + MAIN, more=LIMITS.format(wall_s=60)))["agent_id"])


@pytest.fixture(scope="module")
def hasty(person: Person) -> str:
    return str(allowed(person, agent_zip(LIVE_ONLY + MAIN, more=LIMITS.format(wall_s=2)))["agent_id"])


@pytest.fixture(scope="module")
def neighbour(person: Person) -> str:
    return str(allowed(person, agent_zip(LIVE_ONLY + MAIN))["agent_id"])


@pytest.mark.deployed
@pytest.mark.parametrize("limit", sorted(SAYS))
def test_the_run_ends_with_the_reason_and_its_neighbour_with_a_delivery_when_it_meets_the_limit_of(
    limit: str, person: Person, patient: str, hasty: str, neighbour: str
) -> None:
    agent_id = hasty if limit == "wall" else patient
    asked = {"input": {"do": limit}}
    run_id = person.call("POST", f"/api/v1/agents/{agent_id}/runs", asked)["id"]
    beside = person.runs(neighbour)
    run = person.run(run_id)

    assert run["status"] == ("timed_out" if limit == "wall" else "failed"), run["reason"]
    assert (run["reason"]["code"], run["outcome"]) == (limit, "not_delivered")
    assert SAYS[limit] in run["reason"]["text"]
    assert person.call("GET", f"/api/v1/runs/{run_id}/receipts")["items"] == []
    assert (beside["status"], beside["outcome"]) == ("succeeded", "delivered"), beside["reason"]


@pytest.mark.deployed
def test_a_run_that_floods_the_gateway_does_not_close_it_to_another(person: Person, gate: Gate) -> None:
    hosts = [local(gate.port)]
    flood, fetch = (
        allowed(person, agent_zip(LIVE_ONLY + main.format(port=gate.port), hosts=hosts))["agent_id"]
        for main in (FLOOD, FETCH)
    )
    flooding = person.call("POST", f"/api/v1/agents/{flood}/runs", {})["id"]
    person.wait(f"/api/v1/runs/{flooding}/logs", lambda logs: bool(logs["items"]))

    beside = [person.runs(fetch)["outcome"] for _ in range(3)]

    assert person.call("GET", f"/api/v1/runs/{flooding}")["status"] == "running"
    person.call("POST", f"/api/v1/runs/{flooding}/cancel", {})
    assert person.run(flooding)["status"] == "cancelled"
    assert beside == ["delivered"] * 3
