"""Recordings over the API: looked at, replayed, and gone with their workspace."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from typing import Any

import pytest

from services.executor.tapes.recording import Recording, Shelf
from services.executor.tapes.spool import Spool
from services.gateway.model.access import OWNER_WORKSPACE, Workspace
from shared.agentfile.canonical import manifest_hash
from shared.events.agent import AgentChanged
from shared.events.run import RunRequested
from shared.events.workspace import WorkspaceDeleted
from shared.records.gateway import Secret
from shared.records.tapes import TapeRecord
from shared.store.port import Cause, Query
from shared.vault.keyfile import KEYFILE, load_keyring
from shared.vault.tapes import new_key
from tests.unit.executor.tapes.taping import HEAD, judged
from tests.unit.gateway.conftest import World, agent_file

LIVE: Mapping[str, Any] = {"enabled": True, "version_id": "ver_1", "version_number": 1, "grant_id": "grant_1"}


def tape(world: World, *answers: tuple[str, bytes], setting: Any = "full", **more: Any) -> TapeRecord:
    """As the executor keeps it: one exchange for each (content type and coding, body)."""
    keyring = load_keyring(world.data / KEYFILE)
    key, stored = new_key(OWNER_WORKSPACE, "tpk_1", keyring, world.deps.now())
    spool, folder = Spool(), world.data / "tape-spool"
    prefix = f"executor/tapes/1/{OWNER_WORKSPACE}/agent_1"
    shelf = Shelf(key, "agent_1", prefix, world.deps.blobs, spool, folder, world.deps.ids, world.clock)
    recording = Recording(shelf, setting)
    for kind, body in answers:
        take = recording.take()
        take.asked(
            "POST", "/new", [(b"content-type", b"application/json"), (b"authorization", b"ab-placeholder-1")]
        )
        take.sent(b'{"q": "\xec\xbb\xb5"}')
        take.sent_all()
        name, _, coding = kind.partition("|")
        headers = [(b"Content-Type", name.encode()), (b"content-encoding", coding.encode())]
        take.answered(200, "OK", headers if coding else headers[:1])
        take.got(body)
        take.got_all()
        take.judged(judged("POST", "/new", len(body)))
    record = recording.finish(HEAD, 1, world.deps.now(), "2026-12-22T09:00:00.000000Z")
    spool.close()
    record = record.model_copy(update=more)
    world.put("executor", "tapes", record)
    world.put("executor", "tape_keys", stored)
    return record


def test_a_recording_shows_what_the_code_sent_and_got(world: World) -> None:
    world.run()
    korean = "새 상품".encode("euc-kr")
    tape(
        world,
        ("application/json; charset=utf-8", '{"상품": 3}'.encode()),
        ("text/html; charset=euc-kr", korean),
        ("text/csv|gzip", gzip.compress(b"a,b")),
        ("image/png", b"\x89PNG"),
        ("text/plain; charset=nonsense", b"plain\0"),
    )

    answer = world.call("GET", "/api/v1/runs/run_1/tape")

    assert answer.status_code == 200
    items = answer.json["items"]
    assert [item["n"] for item in items] == [1, 2, 3, 4, 5]
    assert [item["answer_text"] for item in items] == ['{"상품": 3}', "새 상품", "a,b", None, "plain\ufffd"]
    assert {item["request_text"] for item in items} == {'{"q": "컵"}'}
    first = items[0]
    assert (first["method"], first["url"], first["status"], first["verdict"]) == (
        "POST",
        "https://shop.example.com/new",
        200,
        "sent",
    )
    assert (first["bytes_out"], first["content_type"]) == (
        len('{"q": "컵"}'.encode()),
        "application/json; charset=utf-8",
    )
    assert (answer.json["complete"], answer.json["kept"]) == (True, "full")
    assert answer.json["expires_at"] > answer.json["at"]


def test_a_long_body_is_cut(world: World) -> None:
    world.run()
    tape(world, ("text/plain", b"x" * 50_000))

    (item,) = world.call("GET", "/api/v1/runs/run_1/tape").json["items"]

    assert len(item["answer_text"]) == 20_000
    assert item["bytes_in"] == 50_000


def test_a_stranger_sees_nothing_of_a_recording(world: World) -> None:
    world.agent(**LIVE)
    world.run()
    tape(world, ("text/plain", b"secret"))

    for method, tail in (("GET", "tape"), ("POST", "replay")):
        answer = world.as_charlie(method, f"/api/v1/runs/run_1/{tail}", json={} if method == "POST" else None)
        assert answer.status_code == 404, tail
    assert world.emitted() == []


@pytest.mark.parametrize("gone", ["tape", "key", "expired", "blob"])
def test_a_recording_that_is_gone_is_not_there(world: World, gone: str) -> None:
    world.agent(**LIVE)
    world.run()
    if gone != "tape":
        over = {"expires_at": "2026-11-22T08:00:00.000000Z"} if gone == "expired" else {}
        record = tape(world, ("text/plain", b"x"), **over)
        store = world.engines.databases.own("executor")
        if gone == "key":
            store.transact(
                lambda tx: tx.delete("tape_keys", OWNER_WORKSPACE), cause=Cause(OWNER_WORKSPACE, "test")
            )
        if gone == "blob":
            for blob in list(world.deps.blobs.list(f"{record.prefix}/")):
                world.deps.blobs.delete(blob.key)

    answer = world.call("GET", "/api/v1/runs/run_1/tape")
    assert (answer.status_code, answer.json["code"]) == (404, "no_tape")


def test_a_replay_is_asked_for_without_money_and_can_be_read_at_once(world: World) -> None:
    world.agent(**LIVE, agent_file=agent_file(tokens={"per_run": 500, "per_day": 500}))
    world.run(input={"day": 3})
    tape(world)

    asked = world.call("POST", "/api/v1/runs/run_1/replay", json={})

    assert asked.status_code == 202
    read = world.call("GET", f"/api/v1/runs/{asked.json['id']}").json
    assert (read["status"], read["kind"], read["input"]) == ("queued", "replay", {"day": 3})
    (event,) = world.emitted()
    assert isinstance(event, RunRequested)
    assert (event.kind, event.replay_of, event.tokens, event.version_id) == ("replay", "run_1", 0, "ver_1")
    assert event.conversation_id is None


def test_another_version_may_be_replayed_when_it_was_allowed(world: World) -> None:
    world.agent(**LIVE)
    world.run()
    tape(world)
    world.version("ver_2", 2)
    other = agent_file(hosts=[{"host": "other.example.com"}])
    world.version("ver_3", 3, file=other)
    assert manifest_hash(other) != manifest_hash(agent_file())

    yes = world.call("POST", "/api/v1/runs/run_1/replay", json={"version": "ver_2"})
    no = world.call("POST", "/api/v1/runs/run_1/replay", json={"version": "ver_3"})
    none = world.call("POST", "/api/v1/runs/run_1/replay", json={"version": "ver_9"})

    assert yes.status_code == 202
    assert (no.status_code, no.json["code"]) == (409, "no_grant")
    assert none.status_code == 404
    (event,) = world.emitted()
    assert isinstance(event, RunRequested)
    assert event.version_id == "ver_2"


def test_only_a_run_that_is_over_and_was_recorded_whole_can_be_replayed(world: World) -> None:
    world.agent(**LIVE)
    world.run(status="running")
    tape(world)
    answer = world.call("POST", "/api/v1/runs/run_1/replay", json={})
    assert (answer.status_code, answer.json["code"]) == (409, "run_not_over")

    world.run()
    tape(world, setting="headers")
    answer = world.call("POST", "/api/v1/runs/run_1/replay", json={})
    assert (answer.status_code, answer.json["code"]) == (404, "no_tape")
    assert world.emitted() == []


def test_deleting_the_workspace_takes_agents_and_secrets_with_it(world: World) -> None:
    world.agent(**LIVE)
    value = {"value": "s3cr3t-value", "host": "shop.example.com"}
    assert world.call("PUT", "/api/v1/secrets/SHOP_KEY", json=value).status_code == 204
    (found,) = world.deps.store.query(Query("secrets", limit=10))
    sealed = Secret.from_doc(found.data).sealed

    answer = world.call("DELETE", "/api/v1/workspace", json={"confirm": "delete"})

    assert answer.status_code == 202
    assert world.call("GET", "/api/v1/agents").json["items"] == []
    assert world.call("GET", "/api/v1/secrets").json["items"] == []
    changed, deleted = world.emitted()
    assert isinstance(changed, AgentChanged)
    assert (changed.deleted, changed.enabled) == (True, False)
    assert isinstance(deleted, WorkspaceDeleted)
    assert deleted.workspace_id == OWNER_WORKSPACE
    files = b"".join(path.read_bytes() for path in world.data.glob("gateway.db*"))
    assert sealed.encode() not in files, "the sealed value is still in a file"


@pytest.mark.parametrize(
    ("name", "typed", "status"),
    [
        ("", "삭제", 202),
        ("", "delete", 202),
        ("", "", 400),
        ("", "yes", 400),
        ("꽃집", "꽃집", 202),
        ("꽃집", "delete", 400),
    ],
)
def test_deleting_takes_the_workspaces_own_name(world: World, name: str, typed: str, status: int) -> None:
    own = Workspace(id=OWNER_WORKSPACE, workspace_id=OWNER_WORKSPACE, name=name, created_at=world.deps.now())
    world.put("gateway", "workspaces", own)

    answer = world.call("DELETE", "/api/v1/workspace", json={"confirm": typed})

    assert answer.status_code == status
    assert bool(world.emitted()) == (status == 202)


def test_nobodys_request_deletes_anothers_workspace(world: World) -> None:
    world.agent(**LIVE)

    world.as_charlie("DELETE", "/api/v1/workspace", json={"confirm": "delete"})

    assert len(world.call("GET", "/api/v1/agents").json["items"]) == 1
    assert (
        world.client.open("/api/v1/workspace", method="DELETE", json={"confirm": "delete"}).status_code == 401
    )
