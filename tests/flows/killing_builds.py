"""A build with a model that is cut at a seeded moment: the whole application is killed and started again."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import replace
from typing import Any

from tests.fakes.llm_script import Asked, Do, Reply, Say, Scripted, by_turn
from tests.fakes.messages_server import MessagesServer
from tests.fakes.prompt_cache import PromptCache
from tests.flows.dialogues.korean import SENTENCE, three_shops
from tests.flows.dialogues.telling import Allows, Answers, Says, World
from tests.flows.killing import Living, until
from tests.flows.person import Json, Person

# heard: the person has just spoken · stream: the model is in mid-sentence · result: it has called for something,
# whose result is not there yet · rest: a question or a plan waits for the person · rehearsal: the code runs
STAGES = ("heard", "stream", "result", "rest", "rehearsal")
PATIENCE_S = 90.0
# Which of the person's three acts a turn of the model follows.
_FOLLOWS = (0, 1, 1, 2, 2)


class Held:
    """A place in the model's answer: `reached` once it comes there, and nothing goes on until `go`."""

    def __init__(self, *, holds: bool) -> None:
        self.reached, self.go = threading.Event(), threading.Event()
        if not holds:
            self.go.set()

    def __call__(self) -> None:
        self.reached.set()
        self.go.wait(30)


class BuildPoint:
    """One cut: stage and seed give the moment. `go` raises AssertionError where a promise broke."""

    def __init__(self, stage: str, seed: int, living: Living, world: World, claude: MessagesServer) -> None:
        self.stage, self.living, self.world, self.claude = stage, living, world, claude
        self._random = random.Random(f"build/{stage}/{seed}")
        self.turn = self._random.randrange(len(_FOLLOWS))
        self.act = 2 if stage == "rehearsal" else _FOLLOWS[self.turn]
        self.launcher_too = self._random.random() < 0.3
        self.twice = self._random.random() < 0.3  # again while it recovers
        self.waited_s = self.back_s = 0.0
        self._held = Held(holds=stage == "stream")
        self.dialogue = three_shops(world)
        claude.enqueue(
            by_turn(*(self._with_place(n, reply) for n, reply in enumerate(self.dialogue.replies)))
        )

    def _with_place(self, number: int, reply: Scripted) -> Scripted:
        """The turn in question with the place where it is cut: in the middle, or at its end."""
        if number != self.turn or self.stage not in ("stream", "result"):
            return reply
        assert isinstance(reply, Reply)
        words = (Say("잠시만요, "), Do(self._held))
        items = (*words, *reply.items) if self.stage == "stream" else (*reply.items, Do(self._held))
        # the reason is taken from the calls, whatever stands last
        return replace(reply, items=items)

    def go(self) -> Json:
        conversation = self._built()
        self._check_conversation(conversation)
        person = self._person()
        person.switches(conversation["agent_id"], True)
        run = person.runs(conversation["agent_id"])
        assert run["outcome"] == "delivered", run["reason"]
        assert len(self.world.sink.bodies) == 1, f"{len(self.world.sink.bodies)} messages arrived"
        self._check_books(conversation)
        return conversation

    def _person(self) -> Person:
        return self.living.person(PATIENCE_S)

    def _built(self) -> Json:
        says, answers, allows = self.dialogue.acts[:3]
        assert isinstance(says, Says)
        assert isinstance(answers, Answers)
        assert isinstance(allows, Allows)
        body = {"text": says.text, "timezone": "Asia/Seoul"}
        id = str(self._person().call("POST", "/api/v1/conversations", body)["id"])
        self._moved(0, id, "asking")
        self._person().call("POST", f"/api/v1/conversations/{id}/messages", {"answers": answers.values})
        plan = self._moved(1, id, "proposed")["plan"]
        decision = {
            "decision": "approve",
            "manifest_hash": plan["manifest_hash"],
            "secrets": {"SLACK_WEBHOOK_URL": self.world.sink.address},
        }
        self._person().call("POST", f"/api/v1/plans/{plan['id']}/decision", decision)
        ready = self._moved(2, id, "ready")
        assert self.world.sink.bodies == [], "the rehearsal sent something"
        return ready

    def _moved(self, act: int, id: str, state: str) -> Json:
        """The conversation once it stands at `state`, and was cut on the way if this is the act in question."""
        if act == self.act and self.stage != "rest":
            self._reach(id)
        conversation = self._person().conversation(id, state, "failed")
        assert conversation["state"] == state, (conversation["problem"], self.claude.problems)
        if act == self.act and self.stage == "rest":
            self._cut(0.2)
            again = self._person().conversation(id, state, "failed")
            assert again["messages"] == conversation["messages"], "it spoke though nobody had"
        return conversation

    def _reach(self, id: str) -> None:
        match self.stage:
            case "heard":
                self._cut(0.25)
            case "stream" | "result":
                assert self._held.reached.wait(PATIENCE_S), (self.turn, self.claude.problems)
                self._cut(0.05 if self.stage == "stream" else 0.4)
            case "rehearsal":
                self._person().conversation(id, "testing", "ready", "failed")
                self._cut(2.0)

    def _cut(self, longest_s: float) -> None:
        self.waited_s = self._random.random() * longest_s
        time.sleep(self.waited_s)
        self.living.kill(launcher_too=self.launcher_too)
        self._held.go.set()
        if self.twice:
            self.living.start()
            time.sleep(self._random.random() * 1.5)
            self.living.kill()
        started = time.monotonic()
        self.living.start()
        self.back_s = time.monotonic() - started

    def _check_conversation(self, conversation: Json) -> None:
        """Nothing lost, nothing twice: of each thing that was said and done there is one."""
        kinds = [m["kind"] for m in conversation["messages"] if m["kind"] != "progress"]
        counted = {kind: kinds.count(kind) for kind in ("question", "plan", "result")}
        assert counted == {"question": 1, "plan": 1, "result": 1}, kinds
        said = [m["data"]["text"] for m in conversation["messages"] if m["author"] == "person"]
        assert len(said) == 2, said
        assert said[0] == SENTENCE
        versions = [(v["status"], v["number"]) for v in self.living.documents("planner", "versions")]
        # the plan as it was proposed, and the code as it was tested
        assert sorted(versions, key=str) == [("candidate", None), ("promoted", 1)], versions
        turns = sorted(turn["number"] for turn in self.living.documents("planner", "build_turns"))
        assert turns == list(range(len(turns))), turns
        assert [live["done"] for live in self.living.documents("planner", "conversation_live")] == [True]
        assert self.claude.problems == []

    def _check_books(self, conversation: Json) -> None:
        person = self._person()
        person.wait("/api/v1/budget", lambda budget: budget["leased_tokens"] == 0)
        until(lambda: self._unsure() is not None, lambda: f"spent {self._spent()}, owed {self._owed()}")
        assert person.call("GET", "/api/v1/dead-letters")["items"] == []
        for service in ("gateway", "planner", "executor"):
            assert self.living.documents(service, "_claims") == [], service
        assert [meter for meter in self.living.documents("planner", "meters") if not meter["closed"]] == []

    def _unsure(self) -> int | None:
        """What was set aside for calls that died before they were sent; None when that does not explain the rest."""
        beyond, kills = self._spent() - self._owed(), 2 if self.twice else 1
        most = max(_reserved(body) for body in self._bodies())
        return beyond if beyond == 0 or 0 < beyond <= kills * most else None

    def _spent(self) -> int:
        return sum(e["input_tokens"] + e["output_tokens"] for e in self.living.documents("ledger", "usage"))

    def _owed(self) -> int:
        """Of each turn: what its last answer was counted at, and all that was set aside for those before it."""
        tries: dict[int, list[tuple[int, int]]] = {}
        for request, got in self.claude.answered:
            assert isinstance(got, Reply), got
            turn = tries.setdefault(Asked(request.body).turn, [])
            turn.append((_reserved(request.body), got.usage.total))
        lost = sum(reserved for turn in tries.values() for reserved, _ in turn[:-1])
        return lost + sum(turn[-1][1] for turn in tries.values())

    def _bodies(self) -> list[Any]:
        return [request.body for request, _ in self.claude.answered]


def _reserved(body: Any) -> int:
    return PromptCache.counted(body) + int(body["max_tokens"])
