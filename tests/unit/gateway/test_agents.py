"""Agents: the card, the switch, versions, the person's own edits, export and import."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from shared.agentfile.bundle import pack, unpack
from shared.agentfile.canonical import manifest_hash
from shared.agentfile.toml import dump
from shared.events.agent import AgentChanged
from shared.events.conversation import MessageReceived
from shared.events.plan import VersionReady
from shared.records.gateway import Agent, Grant
from tests.unit.gateway.conftest import World, agent_file

ONE = "/api/v1/agents/agent_1"


def stored(world: World) -> Agent:
    found = world.deps.store.get("agents", "agent_1")
    assert found is not None
    return Agent.from_doc(found.data)


def test_the_card_shows_what_was_and_what_comes(world: World) -> None:
    world.agent(enabled=True, version_id="ver_1", version_number=1, grant_id="grant_1")
    world.run(reason={"code": "ok", "text": "제품 12개 전달됨"})
    world.run("run_test", kind="test")

    card = world.call("GET", ONE).json

    assert card["schedule_words"] == "매일 09:00 · 서울"
    assert card["next_at"] == "2026-11-23T00:00:00.000000Z"
    assert card["last_run"]["text"] == "제품 12개 전달됨"
    assert card["last_run"]["id"] == "run_1"
    assert card["waiting"] == []
    assert world.call("GET", "/api/v1/agents").json["items"] == [card]


def test_a_stranger_reads_and_changes_no_agent(world: World) -> None:
    world.agent()

    for method, path in (
        ("GET", ONE),
        ("PATCH", ONE),
        ("DELETE", ONE),
        ("GET", f"{ONE}/versions"),
        ("GET", f"{ONE}/state/versions"),
        ("GET", f"{ONE}/export"),
        ("POST", f"{ONE}/runs"),
        ("GET", f"{ONE}/runs"),
        ("GET", "/api/v1/versions/ver_1/files"),
        ("GET", "/api/v1/versions/ver_1/files/main.py"),
    ):
        body: Any = {"enabled": True} if method == "PATCH" else {}
        answer = world.as_charlie(method, path, json=None if method == "GET" else body)
        assert answer.status_code == 404, (method, path)
    assert world.as_charlie("GET", "/api/v1/agents").json == {"items": [], "waiting": 0}
    assert world.emitted() == []


def test_switching_on_makes_the_shown_version_live(world: World) -> None:
    world.agent()

    card = world.call("PATCH", ONE, json={"enabled": True}).json

    assert (card["enabled"], card["version_id"], card["version_number"]) == (True, "ver_1", 1)
    (event,) = world.emitted()
    assert isinstance(event, AgentChanged)
    assert (event.enabled, event.version_id, event.grant_id) == (True, "ver_1", "grant_1")
    assert event.schedule is not None


def test_it_cannot_be_switched_on_before_a_rehearsal_passed(world: World) -> None:
    world.agent(shown_version_id=None)

    answer = world.call("PATCH", ONE, json={"enabled": True})

    assert (answer.status_code, answer.json["code"]) == (409, "not_rehearsed")
    assert not stored(world).enabled


def test_a_newer_version_nobody_was_shown_is_a_conflict_with_its_differences(world: World) -> None:
    world.agent()
    world.clock.advance(seconds=1)
    wider = agent_file(hosts=[{"host": "new.example.com", "why": "더"}])
    world.version("ver_2", 2, wider)

    answer = world.call("PATCH", ONE, json={"enabled": True})
    named = world.call("PATCH", ONE, json={"enabled": True, "version": "ver_1"})

    assert (answer.status_code, answer.json["code"]) == (409, "newer_version")
    assert answer.json["diff"]["parts"]["hosts"]["added"][0]["host"] == "new.example.com"
    assert named.json["version_id"] == "ver_1"


def test_a_wider_version_needs_a_yes_of_its_own(world: World) -> None:
    world.agent()
    world.version("ver_2", 2, agent_file(hosts=[{"host": "new.example.com", "why": "더"}]))

    answer = world.call("PATCH", ONE, json={"enabled": True, "version": "ver_2"})

    assert (answer.status_code, answer.json["code"]) == (409, "no_grant")


def test_a_repair_inside_the_same_manifest_gets_a_copy_of_the_yes(world: World) -> None:
    world.agent(enabled=True, version_id="ver_1", version_number=1, grant_id="grant_1")
    world.version("ver_2", 2)
    ready = VersionReady(
        version_id="ver_2", agent_id="agent_1", conversation_id="conv_1", number=2, run_id="run_t"
    )
    assert world.receive(ready, "planner").verdict == "ack"

    card = world.call("PATCH", ONE, json={"enabled": True}).json

    assert (card["version_id"], card["version_number"]) == ("ver_2", 2)
    grant = Grant.from_doc(world.deps.store.get("grants", card["grant_id"]).data)  # type: ignore[union-attr]
    assert grant.version_id == "ver_2"


def test_switching_off_and_on_raises_the_revision_each_time(world: World) -> None:
    world.agent()

    for enabled in (True, False, True):
        assert world.call("PATCH", ONE, json={"enabled": enabled}).status_code == 200

    revisions = [event.revision for event in world.emitted() if isinstance(event, AgentChanged)]
    assert revisions == sorted(set(revisions))
    assert len(revisions) == 3


def test_an_edited_schedule_is_a_grant_of_its_own(world: World) -> None:
    world.agent(enabled=True, version_id="ver_1", version_number=1, grant_id="grant_1")

    card = world.call("PATCH", ONE, json={"schedule": {"cron": "0 8 * * 1", "timezone": "Asia/Seoul"}}).json

    assert card["schedule_words"].startswith("매주 월요일")
    assert card["grant_id"] != "grant_1"
    grant = Grant.from_doc(world.deps.store.get("grants", card["grant_id"]).data)  # type: ignore[union-attr]
    assert grant.version_id == "ver_1"
    assert grant.manifest_hash == manifest_hash(grant.agent_file)
    (event,) = world.emitted()
    assert isinstance(event, AgentChanged)
    assert event.schedule is not None
    assert event.schedule.cron == "0 8 * * 1"


def test_no_schedule_means_only_by_hand(world: World) -> None:
    world.agent(enabled=True, version_id="ver_1", version_number=1, grant_id="grant_1")

    card = world.call("PATCH", ONE, json={"schedule": None}).json

    assert card["schedule_words"] is None
    assert card["next_at"] is None


@pytest.mark.parametrize(
    "body", [{"name": ""}, {"enabled": "maybe"}, {"grant_id": "x"}, {"schedule": {"cron": "x"}}]
)
def test_a_bad_change_is_told_what_to_do(world: World, body: Any) -> None:
    world.agent()

    answer = world.call("PATCH", ONE, json=body)

    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert world.emitted() == []


def test_a_deleted_agent_is_gone_and_others_are_told(world: World) -> None:
    world.agent(enabled=True, version_id="ver_1", grant_id="grant_1")

    assert world.call("DELETE", ONE).status_code == 204

    assert world.call("GET", ONE).status_code == 404
    assert world.call("GET", "/api/v1/agents").json["items"] == []
    (event,) = world.emitted()
    assert isinstance(event, AgentChanged)
    assert (event.deleted, event.enabled) == (True, False)


def test_a_version_ready_early_waits_and_a_late_one_changes_nothing(world: World) -> None:
    def ready(version: str, number: int) -> VersionReady:
        return VersionReady(
            version_id=version, agent_id="agent_1", conversation_id="conv_1", number=number, run_id="run_t"
        )

    early = world.receive(ready("ver_1", 1), "planner", id="e1")
    world.agent(shown_version_id=None)
    world.version("ver_2", 2)
    codes = [world.receive(ready("ver_2", 2), "planner", id=id).verdict for id in ("e2", "e2")]
    late = world.receive(ready("ver_1", 1), "planner", id="e3")

    assert early.verdict == "retry"
    assert (codes, late.verdict) == (["ack", "ack"], "ack")
    assert stored(world).shown_version_id == "ver_2"


def test_the_code_of_a_version_can_be_read(world: World) -> None:
    world.agent()

    listed = world.call("GET", "/api/v1/versions/ver_1/files").json["items"]
    code = world.call("GET", "/api/v1/versions/ver_1/files/main.py")

    assert [item["name"] for item in listed] == ["agent.toml", "main.py"]
    assert code.text == "print('hi')\n"
    assert code.content_type == "text/plain; charset=utf-8"
    assert world.call("GET", "/api/v1/versions/ver_1/files/../../vault.key").status_code == 404


def test_an_export_can_be_imported_and_stands_as_a_plan_to_come(world: World) -> None:
    world.agent()
    exported = world.call("GET", f"{ONE}/export")

    answer = world.call("POST", "/api/v1/agents/import", data=exported.data, content_type="application/zip")
    form = {"file": (io.BytesIO(exported.data), "agent.zip")}
    by_form = world.call("POST", "/api/v1/agents/import", data=form)

    assert exported.headers["Content-Disposition"].startswith("attachment")
    assert (answer.status_code, by_form.status_code) == (202, 202)
    event = world.emitted()[0]
    assert isinstance(event, MessageReceived)
    assert event.import_key is not None
    assert sorted(unpack(world.deps.blobs.get(event.import_key))) == ["agent.toml", "main.py"]
    read = world.call("GET", f"/api/v1/conversations/{answer.json['conversation_id']}")
    assert read.json["title"] == "신제품 봇"


def bad_zips() -> dict[str, bytes]:
    traversal = io.BytesIO()
    with zipfile.ZipFile(traversal, "w") as archive:
        archive.writestr("../evil.py", "x")
    toml = dump(agent_file()) + "\n[surprise]\nx = 1\n"
    return {
        "empty": b"",
        "no zip": b"hello",
        "cut": pack({"agent.toml": dump(agent_file()).encode(), "main.py": b""})[:-30],
        "traversal": traversal.getvalue(),
        "unknown key": pack({"agent.toml": toml.encode(), "main.py": b""}),
        "not utf-8": pack({"agent.toml": b"\xff\xfe", "main.py": b""}),
    }


@pytest.mark.parametrize("kind", list(bad_zips()))
def test_a_bad_import_is_told_what_to_do_and_kept_nowhere(world: World, kind: str) -> None:
    answer = world.call(
        "POST", "/api/v1/agents/import", data=bad_zips()[kind], content_type="application/zip"
    )

    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert len(answer.json["detail"]) > 10
    assert world.emitted() == []
    assert list(world.deps.blobs.list("gateway/")) == []
