"""A door with its real store, vault and blobs; Alice owns the machine, Charlie is a stranger beside her."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.gateway.app import create
from services.gateway.deps import Deps
from services.gateway.model.access import OWNER_USER, OWNER_WORKSPACE, Person, digest
from services.gateway.repository.access import mint_link
from services.gateway.repository.shapes import GRANTS
from shared.agentfile.bundle import pack
from shared.agentfile.canonical import manifest_hash
from shared.agentfile.model import AgentFile
from shared.agentfile.toml import dump
from shared.bus.dispatch import Dispatcher
from shared.bus.port import Received
from shared.bus.workers import Workers
from shared.clock import FakeClock, stamp
from shared.events.catalog import decode
from shared.events.envelope import Envelope, Event
from shared.ids import SeededIds
from shared.records import Record
from shared.records.executor import Run
from shared.records.gateway import Agent, Grant
from shared.records.planner import Conversation, Plan, Version
from shared.runtime.profiles import Engines, embedded
from shared.runtime.settings import Settings
from shared.runtime.shell import Service
from shared.store.port import Cause

OWNER_TOKEN = "owner-token-for-tests"
CHARLIE = Person("wsp_charlie", "usr_charlie")
HASH = "f" * 64


def agent_file(**manifest: Any) -> AgentFile:
    return AgentFile.model_validate(
        {
            "agent": {"name": "신제품 봇", "summary": "아침마다", "language": "ko"},
            "schedule": {"cron": "0 9 * * *", "timezone": "Asia/Seoul"},
            "manifest": {"channels": [{"kind": "inbox"}], **manifest},
        }
    )


@dataclass
class World:
    engines: Engines
    service: Service
    client: Any  # werkzeug types every answer's json as perhaps nothing
    data: Path
    clock: FakeClock
    charlie: tuple[str, str] | None = None

    @property
    def deps(self) -> Deps:
        deps = self.service.deps
        assert isinstance(deps, Deps)
        return deps

    def call(self, method: str, path: str, **more: Any) -> Any:
        """As Alice, by her token."""
        headers = {
            "Authorization": f"Bearer {OWNER_TOKEN}",
            "Accept-Language": "ko",
            **more.pop("headers", {}),
        }
        return self.client.open(path, method=method, headers=headers, **more)

    def as_charlie(self, method: str, path: str, **more: Any) -> Any:
        if self.charlie is None:
            self.charlie = self.sign_in(CHARLIE)
        cookie, key = self.charlie
        headers = {"Cookie": f"ab_session={cookie}", "X-AB-Key": key, **more.pop("headers", {})}
        assert self.service.web is not None
        client = self.service.web.test_client(use_cookies=False)
        return client.open(path, method=method, headers=headers, **more)

    def sign_in(self, person: Person | None = None) -> tuple[str, str]:
        """(cookie, key) of a fresh session."""
        who = person or Person(OWNER_WORKSPACE, OWNER_USER)
        secret = mint_link(
            self.deps.store, self.clock, self.deps.ids, workspace_id=who.workspace_id, user_id=who.user_id
        )
        assert self.service.web is not None
        client: Any = self.service.web.test_client()
        answer = client.post("/api/v1/session", json={"secret": secret})
        assert answer.status_code == 200, answer.text
        cookie = client.get_cookie("ab_session")
        assert cookie is not None
        assert self.deps.store.get("sessions", digest(cookie.value)) is not None
        return cookie.value, answer.json["key"]

    def put(self, service: str, collection: str, record: Record) -> None:
        """A document as its owner would have written it."""
        store = self.engines.databases.own(service)
        store.transact(
            lambda tx: tx.put(collection, record.id, record.to_doc()),
            cause=Cause(record.workspace_id, "test"),
        )

    def emitted(self) -> list[Event]:
        events = [decode(envelope) for envelope in self.deps.store.outbox(1000)]
        return [event for event in events if event is not None]

    def receive(
        self, event: Event, source: str, *, id: str = "evt_1", workspace: str = OWNER_WORKSPACE
    ) -> Received:
        envelope = Envelope(
            id=id,
            source=f"/services/{source}",
            type=event.type(),
            subject=event.subject(),
            time=self.deps.now(),
            workspace_id=workspace,
            actor="service:test",
            traceparent="",
            data=event.model_dump(mode="json"),
        )
        dispatcher = Dispatcher("gateway", self.service.handlers, self.deps.store, self.deps, self.clock)
        return dispatcher.receive(envelope)

    def workers(self) -> Workers:
        return Workers(
            "gateway", self.service.handlers, self.deps.store, self.deps, self.clock, threads=1, alone=True
        )

    def conversation(self, id: str = "conv_1", **more: Any) -> Conversation:
        at = self.deps.now()
        made = Conversation.model_validate(
            {
                "id": id,
                "workspace_id": OWNER_WORKSPACE,
                "title": "신제품",
                "language": "ko",
                "timezone": "Asia/Seoul",
                "state": "proposed",
                "created_at": at,
                "updated_at": at,
                **more,
            }
        )
        self.put("planner", "conversations", made)
        return made

    def plan(self, file: AgentFile | None = None, id: str = "plan_1", **more: Any) -> Plan:
        """A proposed plan with its conversation pointing at it."""
        file = file or agent_file()
        plan = Plan.model_validate(
            {
                "id": id,
                "workspace_id": OWNER_WORKSPACE,
                "conversation_id": "conv_1",
                "agent_id": "agent_1",
                "version_id": "ver_1",
                "status": "proposed",
                "agent_file": file,
                "manifest_hash": manifest_hash(file),
                "summary": "가게를 지켜봐요",
                "steps": ["읽기", "보내기"],
                "created_at": self.deps.now(),
                **more,
            }
        )
        self.put("planner", "plans", plan)
        self.conversation(plan.conversation_id, plan_id=plan.id, agent_id=plan.agent_id)
        return plan

    def version(self, id: str = "ver_1", number: int | None = 1, file: AgentFile | None = None) -> Version:
        file = file or agent_file()
        key = f"planner/bundles/{id}.zip"
        self.deps.blobs.put(key, pack({"agent.toml": dump(file).encode(), "main.py": b"print('hi')\n"}))
        version = Version(
            id=id,
            workspace_id=OWNER_WORKSPACE,
            agent_id="agent_1",
            conversation_id="conv_1",
            status="promoted" if number else "candidate",
            number=number,
            manifest_hash=manifest_hash(file),
            agent_file=file,
            bundle_key=key,
            bundle_sha256="0" * 64,
            files=("agent.toml", "main.py"),
            created_at=stamp(self.clock.now()),
        )
        self.put("planner", "versions", version)
        return version

    def agent(self, **more: Any) -> Agent:
        """A granted agent whose rehearsal passed."""
        at = self.deps.now()
        file = more.pop("agent_file", agent_file())
        self.version(file=file)
        grant = Grant(
            id="grant_1",
            workspace_id=OWNER_WORKSPACE,
            agent_id="agent_1",
            plan_id="plan_1",
            version_id="ver_1",
            manifest_hash=manifest_hash(file),
            agent_file=file,
            secrets=more.pop("secrets", {}),
            by="user:test",
            at=at,
        )
        self.put("gateway", GRANTS, grant)
        agent = Agent.model_validate(
            {
                "id": "agent_1",
                "workspace_id": OWNER_WORKSPACE,
                "name": "신제품 봇",
                "summary": "",
                "language": "ko",
                "conversation_id": "conv_1",
                "shown_version_id": "ver_1",
                "agent_file": file,
                "created_at": at,
                "updated_at": at,
                **more,
            }
        )
        self.put("gateway", "agents", agent)
        return agent

    def run(self, id: str = "run_1", **more: Any) -> Run:
        at = self.deps.now()
        run = Run.model_validate(
            {
                "id": id,
                "workspace_id": OWNER_WORKSPACE,
                "agent_id": "agent_1",
                "version_id": "ver_1",
                "kind": "manual",
                "status": "succeeded",
                "outcome": "delivered",
                "requested_at": at,
                "deadline_at": at,
                **more,
            }
        )
        self.put("executor", "runs", run)
        return run


@pytest.fixture
def settings_change() -> dict[str, Any]:
    """What a test module wants set differently; override it there."""
    return {}


@pytest.fixture
def world(tmp_path: Path, settings_change: dict[str, Any]) -> Iterator[World]:
    clock = FakeClock(datetime(2026, 11, 22, 9, 0, tzinfo=UTC))
    values = {"data_dir": tmp_path / "data", "owner_token": OWNER_TOKEN, "port": 8080, **settings_change}
    settings = Settings.model_validate(values)
    engines = embedded.engines(
        settings, ["gateway"], project_dir=tmp_path / "project", clock=clock, ids=SeededIds(7)
    )
    service = create(engines.kit("gateway"))
    assert service.web is not None
    yield World(engines, service, service.web.test_client(), tmp_path / "data", clock)
    service.stop()
    engines.close()
