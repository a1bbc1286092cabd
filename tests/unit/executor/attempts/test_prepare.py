"""From documents to an order: what nobody allowed is not prepared, and the code gets nothing it should not have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from services.executor import repository
from services.executor.attempts import prepare
from services.executor.egress.decoys import files, fresh_decoys, variables
from services.executor.egress.model_host import RULE
from services.executor.environments.folders import Folders
from services.executor.tapes.chance import Chance
from shared.agentfile import bundle
from shared.agentfile.model import AgentFile
from shared.blobs.files import FileBlobs
from shared.clock import FakeClock, stamp
from shared.errors import NotAllowed, NotFound, NotYet
from shared.ids import SeededIds
from shared.net.model_endpoint import MODEL_HOST
from shared.records.executor import Run
from shared.records.planner import Version
from shared.store.port import Cause
from shared.store.sqlite import SqliteDatabases

FILE = AgentFile.model_validate(
    {
        "agent": {"name": "봇", "language": "ko", "packages": ["requests"]},
        "schedule": {"cron": "0 9 * * *", "timezone": "Asia/Seoul"},
        "manifest": {
            "hosts": [{"host": "shop.example.com", "path": "/new"}],
            "secrets": [{"name": "NAVER_ID", "host": "shop.example.com"}],
            "channels": [{"kind": "slack", "secret": "SLACK_WEBHOOK_URL"}],
            "limits": {"wall_s": 30, "memory_mb": 64, "disk_mb": 16, "processes": 4},
        },
    }
)
NOW = stamp(FakeClock().now())


@dataclass
class World:
    """A run that may start; `change` alters or removes one document of it."""

    databases: SqliteDatabases
    folders: Folders
    blobs: FileBlobs

    def put(self, service: str, collection: str, id: str, data: dict[str, Any] | None) -> None:
        store = self.databases.own(service)
        if data is None:
            store.transact(lambda tx: tx.delete(collection, id), cause=Cause("w", "user:x"))
        else:
            store.transact(lambda tx: tx.put(collection, id, data), cause=Cause("w", "user:x"))

    def change(self, service: str, collection: str, id: str, **changes: Any) -> None:
        found = self.databases.read(service).get(collection, id)
        assert found is not None
        self.put(service, collection, id, {**found.data, **changes})

    def basis(self, **run: Any) -> prepare.Basis:
        own, read = self.databases.own("executor"), self.databases.read
        return prepare.read_basis(a_run(**run), own, read("gateway"), read("planner"))


def a_run(**more: Any) -> Run:
    given = {
        "id": "run_1",
        "workspace_id": "wsp_one",
        "agent_id": "agent_1",
        "version_id": "ver_1",
        "grant_id": "grant_1",
        "kind": "scheduled",
        "status": "queued",
        "requested_at": NOW,
        "deadline_at": NOW,
    }
    return Run.model_validate({**given, **more})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    ids = SeededIds()
    databases = SqliteDatabases(tmp_path, FakeClock(), ids)
    folders = Folders(tmp_path / "machine", ids)
    folders.make()
    made = World(databases, folders, FileBlobs(tmp_path / "blobs", ids))
    file = FILE.model_dump(mode="json")
    made.blobs.put(
        "planner/bundles/b.zip", bundle.pack({"agent.toml": b"", "main.py": b"print(1)\n", "sub/a.py": b""})
    )
    one = {
        "id": "",
        "workspace_id": "wsp_one",
        "agent_id": "agent_1",
        "manifest_hash": "h",
        "agent_file": file,
    }
    version = {"conversation_id": "c", "status": "promoted", "bundle_key": "planner/bundles/b.zip"}
    made.put(
        "planner",
        "versions",
        "ver_1",
        {**one, **version, "id": "ver_1", "bundle_sha256": "", "created_at": NOW},
    )
    grant = {
        "plan_id": "p",
        "version_id": "ver_1",
        "by": "user:x",
        "at": NOW,
        "secrets": {"NAVER_ID": "sec_1"},
    }
    made.put("gateway", "grants", "grant_1", {**one, **grant, "id": "grant_1"})
    agent = {"name": "봇", "summary": "", "language": "ko", "enabled": True, "conversation_id": "c"}
    made.put(
        "gateway",
        "agents",
        "agent_1",
        {**one, **agent, "id": "agent_1", "created_at": NOW, "updated_at": NOW},
    )
    ready = {"id": "env_1", "workspace_id": "wsp_one", "status": "ready", "packages": ["requests"], "at": NOW}
    made.put("executor", repository.ENVIRONMENTS, "env_1", ready)
    made.put("executor", repository.VERSION_ENVIRONMENTS, "ver_1", {"environment_id": "env_1"})
    yield made
    databases.close()


def test_a_run_stands_on_version_grant_and_environment(world: World) -> None:
    basis = world.basis()
    assert (basis.version.id, basis.grant.id, basis.environment.id) == ("ver_1", "grant_1", "env_1")
    assert basis.manifest == FILE.manifest


@pytest.mark.parametrize(
    ("service", "collection", "id", "changes"),
    [
        ("gateway", "grants", "grant_1", None),
        ("gateway", "grants", "grant_1", {"workspace_id": "wsp_two"}),
        ("gateway", "grants", "grant_1", {"agent_id": "agent_2"}),
        ("gateway", "grants", "grant_1", {"version_id": "ver_0", "manifest_hash": "other"}),
        ("gateway", "agents", "agent_1", None),
        ("gateway", "agents", "agent_1", {"deleted_at": NOW}),
        ("gateway", "agents", "agent_1", {"enabled": False}),
        ("planner", "versions", "ver_1", {"workspace_id": "wsp_two"}),
        ("planner", "versions", "ver_1", {"agent_id": "agent_2"}),
    ],
)
def test_what_nobody_allowed_is_refused(
    world: World, service: str, collection: str, id: str, changes: dict[str, Any] | None
) -> None:
    if changes is None:
        world.put(service, collection, id, None)
    else:
        world.change(service, collection, id, **changes)
    with pytest.raises(NotAllowed):
        world.basis()


def test_a_run_without_a_grant_is_refused(world: World) -> None:
    with pytest.raises(NotAllowed):
        world.basis(grant_id=None)


def test_a_repair_with_the_same_hash_needs_no_new_yes(world: World) -> None:
    world.change("gateway", "grants", "grant_1", version_id="ver_0")
    assert world.basis().version.id == "ver_1"


@pytest.mark.parametrize("kind", ["manual", "test", "replay"])
def test_a_person_may_run_what_is_switched_off(world: World, kind: str) -> None:
    world.change("gateway", "agents", "agent_1", enabled=False)
    assert world.basis(kind=kind).run.kind == kind


def test_what_is_on_its_way_is_waited_for_and_what_never_was_is_not(world: World) -> None:
    world.change("executor", repository.ENVIRONMENTS, "env_1", status="building")
    with pytest.raises(NotYet):
        world.basis()
    world.put("executor", repository.VERSION_ENVIRONMENTS, "ver_1", None)
    with pytest.raises(NotYet):
        world.basis()
    with pytest.raises(NotFound):
        world.basis(version_id="ver_x")


def test_placeholders_are_fresh_and_stand_for_the_codes_own_secrets_only(world: World) -> None:
    one, other = (prepare.placeholders(world.basis(), Chance(bytes([n]) * 32)) for n in range(2))
    assert [(binding.name, binding.host) for binding in one] == [("NAVER_ID", "shop.example.com")]
    assert one[0].placeholder != other[0].placeholder
    assert len(one[0].placeholder) > 30
    assert "sec_1" not in one[0].placeholder


TRAPS = fresh_decoys(SeededIds(7))


def way_out(world: World, **run: Any) -> Any:
    return prepare.egress_run(
        world.basis(**run),
        "att_1",
        (),
        TRAPS,
        record=lambda *_: None,
        reveal=lambda name: name,
        before_write=lambda _: None,
    )


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("test", "rehearsal"),
        ("replay", "rehearsal"),
        ("manual", "live"),
        ("scheduled", "live"),
        ("triggered", "live"),
    ],
)
def test_only_live_runs_write_for_real(world: World, kind: str, mode: str) -> None:
    out = way_out(world, kind=kind)
    assert out.mode == mode
    assert [rule.host for rule in out.hosts] == ["shop.example.com"]
    assert out.pace.requests_per_s > 0


def test_the_way_out_follows_the_grant_and_not_the_version(world: World) -> None:
    narrow = FILE.model_copy(update={"manifest": FILE.manifest.model_copy(update={"hosts": ()})})
    world.change("gateway", "grants", "grant_1", agent_file=narrow.model_dump(mode="json"))
    assert way_out(world).hosts == ()


def test_our_own_practice_shops_need_no_patience(world: World) -> None:
    file = FILE.model_dump(mode="json")
    file["manifest"]["hosts"] = [{"host": prepare.PRACTICE_HOST}]
    world.change("gateway", "grants", "grant_1", agent_file=file)
    world.put(
        "gateway",
        "practice",
        "wsp_one",
        {"id": "wsp_one", "workspace_id": "wsp_one", "day": 3, "broken": True},
    )
    out = way_out(world)
    assert out.pace.requests_per_s == 0
    assert (out.practice.day, out.practice.broken) == (3, True)


def allow_tokens(world: World, **manifest: Any) -> None:
    file = FILE.model_dump(mode="json")
    file["manifest"] |= {"tokens": {"per_run": 100, "per_day": 100}} | manifest
    world.change("gateway", "grants", "grant_1", agent_file=file)


def test_tokens_open_the_way_to_a_model_and_nothing_else_does(world: World) -> None:
    assert MODEL_HOST not in {rule.host for rule in way_out(world).hosts}
    allow_tokens(world)
    assert [rule.host for rule in way_out(world).hosts] == ["shop.example.com", MODEL_HOST]
    by_name = [{"host": MODEL_HOST, "effect": "write"}]
    allow_tokens(world, hosts=by_name)
    assert way_out(world).hosts == (RULE,), "what a file says about that host is not asked"
    allow_tokens(world, hosts=by_name, tokens={"per_run": 0, "per_day": 0})
    assert way_out(world).hosts == ()


@pytest.mark.parametrize("hosts", [[], [{"host": prepare.PRACTICE_HOST}]], ids=["nowhere", "practice"])
def test_a_model_is_asked_at_the_pace_of_any_other_host(world: World, hosts: list[dict[str, str]]) -> None:
    allow_tokens(world, hosts=hosts)
    pace = way_out(world).pace
    assert pace.requests_per_s > 0
    assert 0 < pace.connections <= 4


def version(world: World) -> Version:
    return world.basis().version


def test_code_is_unpacked_once_and_again_when_that_was_cut(world: World) -> None:
    folder = prepare.code_folder(version(world), world.blobs, world.folders)
    assert (folder / "main.py").read_bytes() == b"print(1)\n"
    assert (folder / "sub" / "a.py").exists()
    (folder / "mark").write_text("the same folder")
    assert (prepare.code_folder(version(world), world.blobs, world.folders) / "mark").exists()

    (folder / ".complete").unlink()
    (folder / "main.py").write_text("half")
    again = prepare.code_folder(version(world), world.blobs, world.folders)
    assert (again / "main.py").read_bytes() == b"print(1)\n"
    assert not (again / "mark").exists()
    assert list(world.folders.scratch.iterdir()) == []


def ordered(world: World, state: bytes | None = None, fonts: Path | None = None, **run: Any) -> Any:
    basis = world.basis(**run)
    bindings = prepare.placeholders(basis, Chance(bytes(32)))
    return prepare.make_order(
        basis, "att_1", Path("/code"), bindings, TRAPS, state, world.folders, FakeClock(), fonts
    )


def test_an_order_holds_placeholders_and_no_secret(world: World) -> None:
    order = ordered(world, state=b"tar", input={"a": 1}, slot_at="2026-01-05T00:00:00.000000Z")
    assert set(order.env) - set(variables(TRAPS)) == {"NAVER_ID", "AGENT_LANGUAGE"}
    assert variables(TRAPS).items() <= order.env.items()
    assert order.files == files(TRAPS)
    assert order.env["NAVER_ID"].startswith("ab-placeholder-")
    assert (order.input, order.state, order.timezone) == ({"a": 1}, b"tar", "Asia/Seoul")
    assert order.now == "2026-01-05T00:00:00.000000Z", "a slot's code sees the slot's time"
    assert order.site_dirs == (world.folders.environment("env_1"),)
    assert order.egress is None


def test_code_finds_the_model_where_it_may_ask_one(world: World) -> None:
    assert not {"AGENT_MODEL_URL", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"} & set(ordered(world).env)
    allow_tokens(world)
    env = ordered(world).env
    assert env["AGENT_MODEL_URL"] == env["ANTHROPIC_BASE_URL"] == f"https://{MODEL_HOST}"
    assert env["ANTHROPIC_API_KEY"] == "none"


def test_an_agent_with_a_key_of_its_own_still_speaks_to_the_provider(world: World) -> None:
    allow_tokens(world, secrets=[{"name": "ANTHROPIC_API_KEY", "host": "api.anthropic.com"}])
    world.change("gateway", "grants", "grant_1", secrets={"ANTHROPIC_API_KEY": "sec_1"})
    env = ordered(world).env
    assert "ANTHROPIC_BASE_URL" not in env
    assert env["ANTHROPIC_API_KEY"].startswith("ab-placeholder-")
    assert env["AGENT_MODEL_URL"] == f"https://{MODEL_HOST}"


def test_limits_come_from_what_was_granted(world: World) -> None:
    limits = ordered(world).limits
    assert (limits.wall_s, limits.cpu_s, limits.processes) == (30, 30, 4)
    assert (limits.memory_bytes, limits.disk_bytes) == (64 << 20, 16 << 20)


def test_a_run_without_packages_has_none_and_a_font_when_there_is_one(world: World) -> None:
    world.change("executor", repository.ENVIRONMENTS, "env_1", packages=[])
    order = ordered(world, fonts=Path("/fonts-here/korean.otf"))
    assert order.site_dirs == ()
    assert order.mounts == {"/fonts": Path("/fonts-here")}
    assert order.env["AGENT_FONT"] == "/fonts/korean.otf"
    assert ordered(world).mounts == {}
