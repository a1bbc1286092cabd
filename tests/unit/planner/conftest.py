"""A planner on a real store and real blobs; its engine says what the test tells it to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from services.planner.builder.workbench import Workbench
from services.planner.deps import Deps
from services.planner.handlers import HANDLERS
from services.planner.recipes.talk import (
    Ask,
    Estimate,
    Look,
    PackageUse,
    Propose,
    Question,
    Refuse,
    Step,
    TalkState,
)
from shared.agentfile.model import AgentFile
from shared.blobs.files import FileBlobs
from shared.events.conversation import MessageReceived, TurnFunded
from tests.fakes.keys import FakeKeys, FakeLlms
from tests.fakes.llm import ScriptedLlm
from tests.unit.desk import Desk

SHOP = "https://shop.example.com/new"
FILE = AgentFile.model_validate(
    {
        "agent": {"name": "새 상품 봇", "summary": "요약", "language": "ko"},
        "schedule": {"cron": "0 9 * * *", "timezone": "Asia/Seoul"},
        "manifest": {
            "hosts": [{"host": "shop.example.com", "path": "/new"}],
            "channels": [{"kind": "inbox"}],
        },
        "contract": [{"check": "rows", "path": "outputs/a.csv", "min": 1, "says": "상품이 하나 이상"}],
    }
)
ASK = Ask((Question("channel", "어디로 보낼까요?", "choice"),), note="먼저 하나만 여쭐게요.")
LOOK = Look((SHOP,))
REFUSE = Refuse("그건 아직 못 해요.", ("가게를 살펴봐 줘",))
PROPOSE = Propose(
    agent_file=FILE,
    files={"main.py": b"print(1)\n"},
    requirements_lock=b"",
    summary="가게의 새 상품을 알려요",
    steps=("읽기", "보고"),
    packages=(PackageUse("openpyxl", "표"),),
    found=("상품 24개",),
    wont=("주문은 하지 않아요",),
    estimate=Estimate(seconds=5),
)


@dataclass
class ScriptedEngine:
    """The Engine port: answers in order, the last one for ever; remembers what it was shown."""

    name: str = "scripted"
    steps: list[Step] = field(default_factory=lambda: [PROPOSE])
    seen: list[TalkState] = field(default_factory=list)
    during: Callable[[], None] = lambda: None

    def turn(self, state: TalkState) -> Step:
        self.seen.append(state)
        during, self.during = self.during, lambda: None
        during()
        return self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]


class PlannerDesk(Desk):
    """With `engine`, and short ways to say what happens in every conversation."""

    def __init__(self, folder: Path) -> None:
        self.engine = ScriptedEngine()
        super().__init__(folder, "planner", HANDLERS, lambda desk: self._deps(desk, folder))
        self._leases = 0

    def _deps(self, desk: Desk, folder: Path) -> Deps:
        self.blobs = FileBlobs(folder / "blobs", desk.ids)
        return Deps(
            clock=desk.clock,
            ids=desk.ids,
            store=desk.store,
            gateway=desk.databases.read("gateway"),
            executor=desk.databases.read("executor"),
            blobs=self.blobs,
            engine=self.engine,
            bench=self._bench(desk),
        )

    def _bench(self, desk: Desk) -> Workbench:
        self.keys, self.llm = FakeKeys(), ScriptedLlm(clock=desk.clock)
        self.llms = FakeLlms(self.llm)
        return Workbench(
            clock=desk.clock,
            ids=desk.ids,
            store=desk.store,
            gateway=desk.databases.read("gateway"),
            executor=desk.databases.read("executor"),
            blobs=self.blobs,
            keys=self.keys,
            llms=self.llms,
            show_every_s=0.05,
        )

    def says(self, message_id: str = "msg_1", text: str = "새 상품을 알려 줘", **more: object) -> None:
        given = {
            "conversation_id": "conv_1",
            "message_id": message_id,
            "text": text,
            "timezone": "Asia/Seoul",
        }
        assert self.hears(MessageReceived.model_validate({**given, **more})).verdict == "ack"

    def funds(self, message_id: str = "msg_1") -> str:
        """The lease's id."""
        self._leases += 1
        event = TurnFunded(
            conversation_id="conv_1",
            message_id=message_id,
            lease_id=f"lease_{self._leases}",
            tokens=100,
            expires_at="",
        )
        assert self.hears(event).verdict == "ack"
        return event.lease_id

    def turns(self, *steps: Step) -> str:
        """One message answered with these steps; the lease's id."""
        self.engine.steps = list(steps)
        self.says()
        lease = self.funds()
        self.works()
        return lease

    @property
    def conversation(self) -> dict[str, object]:
        return self.documents("conversations")["conv_1"]

    def state(self) -> str:
        return str(self.conversation["state"])

    def entries(self) -> list[tuple[str, dict[str, object]]]:
        """kind and data of the feed, in order; numbers have no gaps."""
        found = sorted(self.documents("conversation_entries").values(), key=lambda entry: entry["seq"])
        assert [entry["seq"] for entry in found] == list(range(1, len(found) + 1))
        return [(entry["kind"], entry["data"]) for entry in found]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[PlannerDesk]:
    made = PlannerDesk(tmp_path)
    yield made
    made.close()
