"""An agent that waits at a gate, and what holds of its runs however often the executor was replaced meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from services.all_in_one import SERVICES
from shared.store.port import Query, Where
from tests.flows.google_split_house import GoogleSplitHouse
from tests.flows.outages import PatientPerson
from tests.flows.person import Json

PATIENCE_S = 240
MAIN = """
import os, urllib.request
what = (agent.input or {{}}).get("do")
def gate():
    return urllib.request.urlopen("http://127.0.0.1:{port}/").read()
agent.step("before")
print("said before", flush=True)
gate()
print("said after", flush=True)
agent.step("after")
os.makedirs("outputs", exist_ok=True)
with open("outputs/left.bin", "wb") as file:
    file.write(os.urandom((24 << 20) if what == "much" else 1000))
agent.deliver("inbox", "came to its end")
"""


def wait_for(holds: Callable[[], object], says: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, says
        time.sleep(0.05)


def documents(house: GoogleSplitHouse, service: str, collection: str, **fields: str) -> list[Json]:
    where = tuple(Where(name, "==", value) for name, value in fields.items())
    found = house.databases.read(service).query(Query(collection, where, limit=1000))
    return [document.data for document in found]


def attempts(house: GoogleSplitHouse, run_id: str) -> list[Json]:
    return documents(house, "executor", "attempts", run_id=run_id)


def was_delivered_once(house: GoogleSplitHouse, person: PatientPerson, run_id: str) -> None:
    run = person.run(run_id)
    assert (run["status"], run["outcome"]) == ("succeeded", "delivered"), run["reason"]
    assert run["attempt"] == 1, "it ran again"
    (receipt,) = person.call("GET", f"/api/v1/runs/{run_id}/receipts")["items"]
    assert receipt["status"] == "sent"
    entries = sorted(documents(house, "executor", "run_entries", run_id=run_id), key=lambda e: e["seq"])
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    said: dict[str, list[Any]] = {}
    for entry in entries:
        said.setdefault(entry["kind"], []).append(entry["data"])
    assert [step["name"] for step in said["step"]] == ["before", "after"]
    assert "".join(line["text"] for line in said["log"]) == "said before\nsaid after\n"
    assert [file["name"] for file in said["file"]] == ["left.bin"]
    assert len(said["host"]) == 1
    assert [status["status"] for status in said["status"]].count("running") == 1
    assert len(attempts(house, run_id)) == 1
    settled(house, run_id)


def settled(house: GoogleSplitHouse, run_id: str) -> None:
    """Its money is booked once, and nothing of it is left."""
    wait_for(lambda: len(documents(house, "ledger", "usage", run_id=run_id)) == 1, "its use is not booked")
    for collection in ("attempts_under_way", "executions", "doors", "door_notes"):
        _none_left(house, "executor", collection)
    for service in SERVICES:
        _none_left(house, service, "_claims")


def _none_left(house: GoogleSplitHouse, service: str, collection: str) -> None:
    wait_for(lambda: not documents(house, service, collection), f"{collection} of {service} are left")
