"""A shop is redesigned overnight, and sells other things in the morning; a model offers wrong fixes for its agent,
and a right one. The model is a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.fakes.llm_script import Call, Reply, Say
from tests.fakes.messages_server import MessagesServer
from tests.flows.house import House
from tests.flows.person import Json, Person
from tests.flows.sites.places import Sites
from tests.flows.sites.readers import WRONG, plan, program, right, wrong
from tests.flows.sites.redesigns import Shop, next_day

AT_ONCE = 5  # wrong fixes in one answer: after six failed tests a model is not asked again


@dataclass
class Mended:
    """taken: wrong fixes that were handed over. unexplained: refusals without a sentence. refused: the others, with
    the sentence the person read. right: whether the right fix was handed over; problem: why not."""

    shop: str
    taken: list[str] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    right: bool = False
    problem: str = ""

    @property
    def held(self) -> bool:
        return self.right and not (self.taken or self.unexplained)


def written(code: str, number: int) -> Reply:
    write = Call("write_file", {"path": "main.py", "content": code}, id=f"toolu_write_{number}")
    return Reply((write, Call("run_test", {}, id=f"toolu_test_{number}")))


class Street:
    """A house, the sites it may read and the model it asks; shops are taken one after the other."""

    def __init__(self, house: House, sites: Sites, claude: MessagesServer) -> None:
        self._person: Person = house.person(patience_s=240)
        self._sites, self._claude = sites, claude
        self._count = 0

    def mend(self, shop: Shop, kinds: Sequence[str] = WRONG) -> Mended:
        """The agent of the old layout, a good day, the redesign, then one wrong fix after the other, then the right."""
        found = Mended(shop.name)
        address = f"{self._sites.address}/shops/{shop.name}"
        agent_id, conversation_id = self._built(shop, address)
        assert self._person.runs(agent_id)["outcome"] == "delivered"
        self._sites.redesigned.add(shop.name)
        self._sites.rows[shop.name] = next_day(shop)
        run = self._person.runs(agent_id)
        assert run["outcome"] == "not_delivered", "the redesign breaks the old reader"
        today = self._sites.rows[shop.name]
        wrongs = [(kind, program(shop, address, wrong(shop, kind, today))) for kind in WRONG if kind in kinds]
        for at in range(0, len(wrongs), AT_ONCE):
            self._offered(run["id"], conversation_id, wrongs[at : at + AT_ONCE], found)
        self._right(run["id"], conversation_id, program(shop, address, right(shop)), found)
        return found

    def _built(self, shop: Shop, address: str) -> tuple[str, str]:
        self._claude.enqueue(
            Reply((Call("propose_plan", plan(shop, self._sites.port), id=self._id()),)),
            written(program(shop, address), self._number()),
            Reply((Call("finish", {"summary": "네"}, id=self._id()),)),
        )
        ready = self._person.allows(self._person.says(f"매일 아침 9시에 {address} 상품을 알려 줘"))
        assert ready["state"] == "ready", ready["problem"]
        self._person.switches(ready["agent_id"], True)
        return ready["agent_id"], ready["id"]

    def _offered(self, run_id: str, id: str, wrongs: Sequence[tuple[str, str]], found: Mended) -> None:
        tested = len(self._tests(id))
        self._claude.enqueue(
            *(written(code, self._number()) for _, code in wrongs), Reply((Say("이번에는 고치지 못했어요."),))
        )
        after = self._repaired(run_id)
        tests = self._tests(id)[tested:]
        for (kind, _), test in zip(wrongs, tests, strict=True):
            if test["passed"]:
                found.taken.append(kind)
            elif len(test["text"]) < 10:
                found.unexplained.append(kind)
            else:
                found.refused[kind] = test["text"]
        if after["state"] == "ready":
            found.taken.append("handed over")

    def _right(self, run_id: str, id: str, code: str, found: Mended) -> None:
        tested = len(self._tests(id))
        self._claude.enqueue(
            written(code, self._number()),
            Reply((Call("finish", {"summary": "새 모양도 읽어요."}, id=self._id()),)),
        )
        after = self._repaired(run_id)
        found.right = after["state"] == "ready"
        found.problem = "" if found.right else " | ".join(test["text"] for test in self._tests(id)[tested:])

    def _repaired(self, run_id: str) -> Json:
        id = self._person.call("POST", f"/api/v1/runs/{run_id}/repair", {})["conversation_id"]
        after: Json = self._person.wait(
            f"/api/v1/conversations/{id}",
            lambda c: c["state"] in ("ready", "failed", "asking") and not self._claude.left_over,
        )
        return after

    def _tests(self, id: str) -> list[Json]:
        messages = self._person.call("GET", f"/api/v1/conversations/{id}")["messages"]
        return [m for m in (_data(m) for m in messages) if m.get("step") == "test"]

    def _number(self) -> int:
        self._count += 1
        return self._count

    def _id(self) -> str:
        return f"toolu_{self._number()}"


def _data(message: Json) -> Json:
    return message.get("data") or message
