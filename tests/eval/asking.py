"""One request from its sentence to a judged report, as a person would go through it at the public API."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from tests.eval.judge import Payload, misses, same_hours
from tests.eval.requests import HAPPENINGS, Judged, Request
from tests.flows.dialogues.telling import World
from tests.flows.person import Answered, Json, Person

MAX_ROUNDS = 6  # of questions; a person would have gone by then
MAX_PLANS = 3
_REST = {
    "ko": "말씀드린 그대로 해 주시고, 나머지는 알아서 정해 주세요.",
    "en": "As I said; decide the rest for me.",
}
_ADDRESS = re.compile(r"https?://[^\s,'\"]+")


class Lost(Exception):
    """It went no further. stage: where it ended: questions, plan, build, run or report."""

    def __init__(self, stage: str, why: str) -> None:
        super().__init__(why)
        self.stage, self.why = stage, why


@dataclass
class Asking:
    """`go` raises Lost where the request ended short of a right report."""

    request: Request
    person: Person
    world: World
    conversation: Json = field(default_factory=dict)
    rounds: int = 0
    plans: int = 0

    def go(self) -> None:
        text = {"text": self.request.text, "timezone": "Asia/Seoul"}
        self.conversation = {
            "id": self.person.call("POST", "/api/v1/conversations", text)["id"],
            "messages": [],
        }
        self._wait(spoken=1)
        while self.conversation["state"] != "ready":
            self._next()
        self.person.switches(self.conversation["agent_id"], True)
        self._judge(self.request)
        if self.request.then is not None:
            HAPPENINGS[self.request.then.happens](self.world)
            self._judge(self.request.then)

    def _next(self) -> None:
        match self.conversation["state"]:
            case "asking":
                self._answer()
            case "proposed":
                self._allow()
            case _:
                raise Lost("build" if self.plans else "questions", str(self.conversation["problem"]))

    def _answer(self) -> None:
        self.rounds += 1
        if self.rounds > MAX_ROUNDS:
            raise Lost("questions", f"asked {MAX_ROUNDS} times")
        asked = [m for m in self.conversation["messages"] if m["kind"] == "question"]
        open_ = [m for m in asked if m["data"].get("answered") is None]
        questions = open_[-1]["data"]["questions"] if open_ else []
        answers = {question["id"]: self._answer_to(question) for question in questions}
        body = {"answers": answers} if answers else {"text": self._in_words()}
        self.person.call("POST", f"/api/v1/conversations/{self.conversation['id']}/messages", body)
        self._wait(spoken=_spoken(self.conversation) + 1)

    def _answer_to(self, question: Json) -> str:
        if question["kind"] == "url":
            return ", ".join(self.request.addresses or _ADDRESS.findall(self.request.text))
        if choices := question.get("choices"):
            words = ("slack", "슬랙") if self.request.channel == "slack" else ("inbox", "받은", "app", "앱")
            liked = [
                c for c in choices if any(word in f"{c['value']} {c['label']}".lower() for word in words)
            ]
            return str((liked or choices)[0]["value"])
        return self._in_words()

    def _in_words(self) -> str:
        return " ".join([*self.request.addresses, _REST[self.request.language]])

    def _allow(self) -> None:
        self.plans += 1
        plan = self.conversation["plan"]
        if self.plans > MAX_PLANS:
            raise Lost("plan", f"{MAX_PLANS} plans and still another")
        schedule = plan["agent_file"]["schedule"]
        cron = schedule["cron"] if schedule else None
        if not same_hours(cron, self.request.schedule):
            raise Lost("plan", f"would run at {cron}, not {' or '.join(self.request.schedule)}")
        if foreign := [secret["name"] for secret in plan["agent_file"]["manifest"]["secrets"]]:
            raise Lost("plan", f"wants secrets nobody has: {', '.join(foreign)}")
        channels = plan["agent_file"]["manifest"]["channels"]
        hooks = {c["secret"]: self.world.sink.address for c in channels if c["kind"] == "slack"}
        body = {"decision": "approve", "manifest_hash": plan["manifest_hash"], "secrets": hooks}
        self.person.call("POST", f"/api/v1/plans/{plan['id']}/decision", body)
        self._wait(beyond=plan["id"])

    def _wait(self, *, spoken: int = 0, beyond: str = "") -> None:
        """Until it is the person's turn. spoken: after that many words of theirs; beyond: a plan that was decided."""

        def over(conversation: Json) -> bool:
            if asked := [m["data"] for m in conversation["messages"] if m["data"].get("step") == "packages"]:
                raise Lost("build", f"asks about packages: {asked[-1]['text']}")
            if conversation["state"] == "proposed" and conversation["plan"]["id"] == beyond:
                return False
            resting = conversation["state"] in ("asking", "proposed", "ready", "failed", "stopped")
            return resting and _spoken(conversation) >= spoken

        try:
            self.conversation = self.person.wait(f"/api/v1/conversations/{self.conversation['id']}", over)
        except AssertionError as error:
            raise Lost("build" if self.plans else "questions", "nothing came in time") from error

    def _judge(self, judged: Judged) -> None:
        before = len(self.world.sink.bodies)
        try:
            run = self.person.runs(self.conversation["agent_id"])
        except (AssertionError, Answered) as error:
            raise Lost("run", str(error)[:300]) from error
        if run["outcome"] != "delivered":
            raise Lost("run", f"{run['status']}, {run['outcome']}: {(run['reason'] or {}).get('text', '')}")
        report = "\n".join(str(delivery["text"]) for delivery in run["deliveries"])
        if self.request.channel == "slack":
            arrived = self.world.sink.bodies[before:]
            if not arrived:
                raise Lost("report", "nothing arrived at Slack")
            report = "\n".join(str(body.get("text", body)) for body in arrived)
        if wrong := misses(judged, Payload(report, self._files(run["id"]))):
            raise Lost("report", f"{'; '.join(wrong)} (it said: {report[:300]!r})")

    def _files(self, run_id: str) -> dict[str, bytes]:
        found: list[dict[str, Any]] = self.person.call("GET", f"/api/v1/runs/{run_id}/artifacts")["items"]
        return {one["name"]: _bytes(self.person.call("GET", one["url"])) for one in found}


def _bytes(got: object) -> bytes:
    return got if isinstance(got, bytes) else json.dumps(got, ensure_ascii=False).encode()


def _spoken(conversation: Json) -> int:
    return sum(1 for message in conversation["messages"] if message["author"] == "person")
