"""Recorded runs played again: without a network, as another version, and not at all once they are deleted.

The first test is a sample of what `python -m tests.prove.replay` runs.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.executor.repository import TAPE_KEYS, TAPES, VERSION_ENVIRONMENTS
from shared.agentfile import bundle
from shared.blobs.files import FileBlobs
from shared.errors import DecodeError
from shared.ids import RandomIds
from shared.records.tapes import TapeKeyRecord, TapeRecord
from shared.store.port import Cause, Query
from shared.vault.keyfile import KEYFILE, load_keyring
from shared.vault.tapes import open_key, read_tape
from tests.flows.house import CloudRunHouse, House, new_house
from tests.flows.imports import LIVE_ONLY, live_run, local
from tests.flows.person import Answered, Json, Person
from tests.flows.replaying import not_the_same, record, replay_without_network
from tests.flows.world_to_record import Web

SAMPLE = [
    ("a packed table and a long text", 2),
    ("pictures and a zip", 3),
    ("a search that posts", 4),
    ("four at once", 5),
    ("chance and time", 6),
    ("the practice shops", 7),
    ("state from run to run", 8),
    ("state from run to run", 9),
]
JOBS = [("a search that posts", 4), ("four at once", 5), ("chance and time", 6)]
MAIN = """
import urllib.request
page = urllib.request.urlopen("http://127.0.0.1:@PORT@/api").read().decode()
agent.output("page.txt").write_text("첫째 줄\\n" + page)
agent.state["seen"] = page
agent.deliver("inbox", "보고: " + page[:40])
"""


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    made = Web()
    yield made
    made.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, web: Web) -> Iterator[House]:
    made = new_house(tmp_path_factory.mktemp("tapes"), open_ports=(web.port,)).open()
    yield made
    made.close()


@pytest.fixture
def person(house: House) -> Person:
    return house.person(patience_s=60)


def recorded(person: Person, web: Web, more: str = "") -> Json:
    main = MAIN.replace("@PORT@", str(web.port))
    return live_run(person, main, hosts=[local(web.port)], state=True, more=more)


def refused(person: Person, method: str, path: str, body: object = None) -> tuple[int, str]:
    with pytest.raises(Answered) as caught:
        person.call(method, path, body)
    return caught.value.status, caught.value.body["code"]


def tapes_in(house: House) -> list[TapeRecord]:
    store = house.databases.own("executor")
    return [TapeRecord.from_doc(found.data) for found in store.query(Query(TAPES, limit=100))]


def test_recorded_runs_are_the_same_when_there_is_no_network(tmp_path: Path) -> None:
    web = Web()
    house = House(tmp_path / "data", open_ports=(web.port,)).open()
    try:
        runs = record(house, web, SAMPLE)
    finally:
        house.close()
        web.close()
    asked_before = len(web.requests)

    wrong = replay_without_network(tmp_path, runs, web.port)

    assert {run["program"]: wrong[run["id"]] for run in runs if wrong[run["id"]]} == {}
    assert len(wrong) == len(SAMPLE)
    assert len(web.requests) == asked_before


@pytest.mark.slow(seconds=120)
def test_a_recorded_job_is_the_same_as_another_job_when_nobody_answers(tmp_path: Path) -> None:
    """Its tape was begun by one process and ended by another, and is played by the second."""
    web = Web()
    house = CloudRunHouse(tmp_path, open_ports=(web.port,))
    try:
        house.open()
        try:
            runs = record(house, web, JOBS)
        finally:
            web.close()
        person = house.person(patience_s=180)
        wrong = {run["program"]: not_the_same(person, run) for run in runs}
        requests = {run["program"]: len(run["requests"]) for run in runs}
    finally:
        house.close()

    assert wrong == {name: [] for name, _seed in JOBS}
    assert requests["four at once"] >= 4


@pytest.mark.deployed
def test_a_replay_asks_nobody_sends_nothing_and_remembers_nothing(
    house: House, person: Person, web: Web
) -> None:
    run = recorded(person, web)
    before, receipts = len(web.requests), person.call("GET", "/api/v1/deliveries")["items"]

    again = person.run(person.call("POST", f"/api/v1/runs/{run['id']}/replay", {})["id"])

    assert (again["status"], again["same"], again["differences"]) == ("succeeded", True, [])
    assert len(web.requests) == before, "the shop would have answered otherwise"
    assert person.call("GET", "/api/v1/deliveries")["items"] == receipts
    assert (again["state_new"], again["wrote"], again["usage"]["input_tokens"]) == (None, False, 0)
    usage = person.call("GET", "/api/v1/usage?by=run")["items"]
    mine = [line for line in usage if line["key"] == again["id"]]
    assert sum(line["input_tokens"] + line["output_tokens"] for line in mine) == 0


@pytest.mark.deployed
def test_another_version_shows_what_it_does_otherwise(house: House, person: Person, web: Web) -> None:
    run = recorded(person, web)
    changed = MAIN.replace("@PORT@", str(web.port)).replace("첫째 줄", "다른 줄").replace("보고: ", "알림: ")
    changed += f'\nprint(urllib.request.urlopen("http://127.0.0.1:{web.port}/feed").status)\n'
    other = second_version(house, run["version_id"], changed)

    again = person.run(person.call("POST", f"/api/v1/runs/{run['id']}/replay", {"version": other})["id"])

    assert again["same"] is False
    assert again["version_id"] == other
    kinds = {one["kind"]: one for one in again["differences"]}
    assert set(kinds) == {"request", "output", "delivery", "end", "state"}
    assert kinds["output"]["name"] == "page.txt"
    assert (kinds["output"]["before"], kinds["output"]["after"]) == ("첫째 줄", "다른 줄")
    assert kinds["delivery"]["before"].startswith("보고: ")
    assert kinds["delivery"]["after"].startswith("알림: ")
    assert kinds["request"]["name"].endswith("/feed")
    assert "502" in kinds["end"]["after"]
    assert "달라요" in kinds["output"]["text"]


def second_version(house: House, version_id: str, main: str) -> str:
    """The same manifest and packages around other code, as a repair makes it."""
    planner, executor = house.databases.own("planner"), house.databases.own("executor")
    found = planner.get("versions", version_id)
    link = executor.get(VERSION_ENVIRONMENTS, version_id)
    assert found is not None
    assert link is not None
    blobs = house.blobs
    files = {**bundle.unpack(blobs.get(found.data["bundle_key"])), "main.py": (LIVE_ONLY + main).encode()}
    key, id = f"planner/bundles/{version_id}-2.zip", f"{version_id}-2"
    blobs.put(key, bundle.pack(files))
    cause = Cause(found.data["workspace_id"], "service:planner")
    planner.transact(
        lambda tx: tx.put("versions", id, {**found.data, "id": id, "bundle_key": key}), cause=cause
    )
    executor.transact(lambda tx: tx.put(VERSION_ENVIRONMENTS, id, link.data), cause=cause)
    return id


@pytest.mark.deployed
def test_an_agent_that_says_so_is_recorded_less_or_not_at_all(house: House, person: Person, web: Web) -> None:
    headers, off = (recorded(person, web, f'tape = "{setting}"\n') for setting in ("headers", "off"))

    assert (headers["tape"], off["tape"]) == ("headers", "off")
    shown = person.call("GET", f"/api/v1/runs/{headers['id']}/tape")
    assert [(item["method"], item["status"], item["answer_text"]) for item in shown["items"]] == [
        ("GET", 200, None)
    ]
    assert shown["kept"] == "headers"
    for run in (headers, off):
        assert refused(person, "POST", f"/api/v1/runs/{run['id']}/replay", {}) == (404, "no_tape")
    assert refused(person, "GET", f"/api/v1/runs/{off['id']}/tape") == (404, "no_tape")
    assert all(tape.run_id != off["id"] for tape in tapes_in(house))


@pytest.mark.deployed
def test_a_deleted_agents_tapes_are_gone(house: House, person: Person, web: Web) -> None:
    run = recorded(person, web)
    assert person.call("GET", f"/api/v1/runs/{run['id']}/tape")["complete"] is True
    blobs = house.blobs
    prefix = next(tape.prefix for tape in tapes_in(house) if tape.run_id == run["id"])
    assert list(blobs.list(f"{prefix}/"))

    person.call("DELETE", f"/api/v1/agents/{run['agent_id']}")

    watch = house.databases.watch("executor", [TAPES])
    while any(tape.agent_id == run["agent_id"] for tape in tapes_in(house)) or list(blobs.list(f"{prefix}/")):
        assert watch.wait(20) or not list(blobs.list(f"{prefix}/")), "its tapes are still there"
    watch.close()
    assert refused(person, "GET", f"/api/v1/runs/{run['id']}/tape") == (404, "no_tape")


def test_no_copy_of_a_deleted_workspaces_tapes_can_be_read(tmp_path: Path, web: Web) -> None:
    house = House(tmp_path / "data", open_ports=(web.port,)).open()
    try:
        person = house.person(patience_s=60)
        run = recorded(person, web)
        (record,) = (tape for tape in tapes_in(house) if tape.run_id == run["id"])
        store = house.databases.own("executor")
        key = TapeKeyRecord.from_doc(store.query(Query(TAPE_KEYS, limit=2))[0].data)
        copied = tmp_path / "copied"
        shutil.copytree(house.folder, copied, ignore=shutil.ignore_patterns("sandbox*", "*.db*", "*.sock"))
        keyring = load_keyring(house.folder / KEYFILE)
        copy = FileBlobs(copied / "blobs", RandomIds())
        assert read_tape(record, copy, open_key(key, keyring)).entries, "with the key it can be read"
        person.call("PUT", "/api/v1/secrets/SHOP_KEY", {"value": "s3cr3t-value", "host": "shop.example.com"})
        assert refused(person, "DELETE", "/api/v1/workspace", {"confirm": "yes"}) == (400, "not_confirmed")

        person.call("DELETE", "/api/v1/workspace", {"confirm": "삭제"})

        watch = house.databases.watch("executor", [TAPE_KEYS, TAPES])
        while tapes_in(house) or store.query(Query(TAPE_KEYS, limit=1)):
            assert watch.wait(20), "the key or a tape is still there"
        watch.close()
        assert person.call("GET", "/api/v1/agents")["items"] == []
        assert person.call("GET", "/api/v1/secrets")["items"] == []
        assert refused(person, "GET", f"/api/v1/runs/{run['id']}/tape") == (404, "no_tape")
        fresh = recorded(person, web)
        assert fresh["tape"] == "full", "the workspace may begin again"
        anew = TapeKeyRecord.from_doc(store.query(Query(TAPE_KEYS, limit=1))[0].data)
        with pytest.raises(DecodeError):
            read_tape(record.model_copy(update={"key_id": anew.key_id}), copy, open_key(anew, keyring))
    finally:
        house.close()
    left = b"".join(path.read_bytes() for path in house.folder.rglob("*") if path.is_file())
    assert key.sealed.encode() not in left, "the wrapped key is still in a file"
