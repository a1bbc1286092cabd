"""How a whole dialogue is written down and told: what the person does, what the model answers, what must come of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fakes.llm_script import Call, Reply, Say, Scripted
from tests.flows.person import Json, Person
from tests.flows.shops import Shops, Sink
from tests.flows.sites.places import Sites

AGENTS = Path(__file__).parent / "agents"
PATIENCE_S = 150.0


@dataclass(frozen=True)
class World:
    """Where the agents of the dialogues go, and where their reports arrive."""

    sites: Sites
    shops: Shops
    sink: Sink

    @property
    def ports(self) -> tuple[int, ...]:
        return self.sites.port, self.shops.port, self.sink.port

    def code(self, name: str) -> str:
        """agents/<name>.py as the model writes it: with the addresses of this world."""
        text = (AGENTS / f"{name}.py").read_text(encoding="utf-8")
        text = re.sub(r"  # (noqa|type: ignore).*", "", text)  # what only this repository's checks need
        return text.replace("http://sites.test", self.sites.address).replace(
            "http://shops.test", f"http://{self.shops.place('a')}"
        )

    def close(self) -> None:
        for one in (self.sites, self.shops, self.sink):
            one.close()


@dataclass(frozen=True)
class Says:
    """The first of a dialogue begins its conversation."""

    text: str


@dataclass(frozen=True)
class Answers:
    values: dict[str, str]


@dataclass(frozen=True)
class Rejects:
    why: str


@dataclass(frozen=True)
class Edits:
    """What is changed in the plan; `shows` is true of the plan once it stands there."""

    changes: Json
    shows: Callable[[Json], bool]


@dataclass(frozen=True)
class Allows:
    """The plan, with the sink's address for Slack where the plan asks for one. state: what comes of it; `proposed`
    when the code turns out to need more."""

    state: str = "ready"


@dataclass(frozen=True)
class Runs:
    """One live run, delivered. says: all in the report; lacks: nothing of it; files: names of what it left.
    before: happens to the world first, a night for instance."""

    says: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    before: Callable[[], object] = lambda: None


Act = Says | Answers | Rejects | Edits | Allows | Runs


@dataclass(frozen=True)
class Dialogue:
    """replies: in order, for the whole dialogue. holds: looks at the conversation and the agent at the end."""

    name: str
    acts: tuple[Act, ...]
    replies: tuple[Scripted, ...]
    language: str = "ko"
    holds: Callable[[Json, Json], None] = lambda conversation, agent: None


@dataclass
class Telling:
    """One dialogue under way. An assertion that fails shows what the model was told last."""

    person: Person
    world: World
    told: Callable[[], str] = lambda: ""
    conversation: Json = field(default_factory=dict)
    run: Json = field(default_factory=dict)
    arrived: int = 0

    def tell(self, dialogue: Dialogue) -> Json:
        """The agent, live, at the end of it."""
        for act in dialogue.acts:
            self.act(act)
        agent: Json = self.person.call("GET", f"/api/v1/agents/{self.conversation['agent_id']}")
        dialogue.holds(self.conversation, agent)
        return agent

    def act(self, act: Act) -> None:
        match act:
            case Says(text):
                self._says(text)
            case Answers(values):
                self._sends({"answers": values})
            case Rejects(why):
                plan = self.conversation["plan"]
                self._decides(plan, "reject")
                self.person.conversation(self.id, "stopped")
                self._sends({"text": why})
            case Edits(changes, shows):
                self.person.call("PATCH", f"/api/v1/plans/{self.conversation['plan']['id']}", changes)
                self._waits(lambda c: shows(c["plan"]))
            case Allows(state):
                self._allows(state)
            case Runs():
                self._runs(act)

    @property
    def id(self) -> str:
        return str(self.conversation["id"])

    def _says(self, text: str) -> None:
        if self.conversation:
            self._sends({"text": text})
            return
        body = {"text": text, "timezone": "Asia/Seoul"}
        self.conversation = {
            "id": self.person.call("POST", "/api/v1/conversations", body)["id"],
            "plan": None,
        }
        self._waits(lambda c: c["state"] in ("asking", "proposed"))

    def _sends(self, body: Json) -> None:
        before = (self.conversation["plan"] or {}).get("id")
        self.person.call("POST", f"/api/v1/conversations/{self.id}/messages", body)
        self._waits(lambda c: c["state"] == "proposed" and c["plan"]["id"] != before)

    def _decides(self, plan: Json, decision: str, secrets: dict[str, str] | None = None) -> None:
        body = {"decision": decision, "manifest_hash": plan["manifest_hash"], "secrets": secrets or {}}
        self.person.call("POST", f"/api/v1/plans/{plan['id']}/decision", body)

    def _allows(self, state: str) -> None:
        plan = self.conversation["plan"]
        manifest = plan["agent_file"]["manifest"]
        asked = [channel["secret"] for channel in manifest["channels"] if channel["kind"] == "slack"]
        self._decides(plan, "approve", dict.fromkeys(asked, self.world.sink.address))
        self._waits(lambda c: c["state"] == state and (state != "proposed" or c["plan"]["id"] != plan["id"]))
        if state == "ready":
            self.person.switches(self.conversation["agent_id"], True)

    def _waits(self, until: Callable[[Json], bool]) -> None:
        def over(conversation: Json) -> bool:
            assert conversation["state"] != "failed", f"{conversation['problem']}\n{self.told()}"
            return until(conversation)

        self.conversation = self.person.wait(f"/api/v1/conversations/{self.id}", over)

    def _runs(self, act: Runs) -> None:
        act.before()
        self.run = self.person.runs(self.conversation["agent_id"])
        assert self.run["outcome"] == "delivered", (self.run["reason"], self.run["checks"])
        report = "\n".join(delivery["text"] for delivery in self.run["deliveries"])
        if any(delivery["channel"] == "slack" for delivery in self.run["deliveries"]):
            assert len(self.world.sink.bodies) == self.arrived + 1
            self.arrived += 1
            report = str(self.world.sink.bodies[-1]["text"])
        for text in act.says:
            assert text in report, report
        for text in act.lacks:
            assert text not in report, report
        left = self.person.call("GET", f"/api/v1/runs/{self.run['id']}/artifacts")["items"]
        assert set(act.files) <= {artifact["name"] for artifact in left}, left


def plan(name: str, summary: str, steps: tuple[str, ...], **more: Any) -> Call:
    """propose_plan with what every plan of these dialogues has; `more` takes its place."""
    usual: Json = {
        "schedule": {"cron": "0 9 * * *", "timezone": "Asia/Seoul"},
        "channels": [{"kind": "inbox", "why": "보고"}],
        "seconds_per_run": 3,
    }
    return Call("propose_plan", usual | {"name": name, "summary": summary, "steps": list(steps)} | more)


def host(port: int, path: str = "", why: str = "여기서 읽어요") -> Json:
    return {"host": "127.0.0.1", "port": port, "scheme": "http", "path": path, "why": why}


def rows(path: str, least: int, says: str) -> Json:
    return {"check": "rows", "path": path, "min": least, "says": says}


def delivered(kind: str = "inbox", says: str = "보고서를 보냈어요") -> Json:
    return {"check": "delivered", "contains": [kind], "says": says}


def writes(code: str, text: str = "", path: str = "main.py") -> Reply:
    """The file, and a test at once."""
    file = Call("write_file", {"path": path, "content": code}, id="toolu_w", every=400)
    said = (Say(text),) if text else ()
    return Reply((*said, file, Call("run_test", {}, id="toolu_t")))


def finishes(text: str) -> Reply:
    return Reply((Call("finish", {"summary": text}),))
