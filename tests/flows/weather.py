"""A conversation in bad weather: what the model's server did to it, what it ended with, and what it may have cost."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import timedelta

from shared.store.port import Query, Where
from tests.fakes.llm_script import Answer, Asked, Call, Refuse, Reply, Scripted
from tests.fakes.messages_server import MessagesServer, Recorded
from tests.fakes.prompt_cache import PromptCache
from tests.flows.dialogues.telling import delivered, host, plan, rows
from tests.flows.house import House
from tests.flows.person import Json, Person
from tests.flows.sites.places import Sites

PATIENCE_S = 40.0
WISHES = {"ko": "매일 아침 공지를 알려 줘", "en": "Tell me the notices every morning"}
NEXT = {"ko": "계속해 줘", "en": "Go on, please"}
_HANGUL = re.compile(r"[가-힣]")
# What a server says before it has begun: nothing was used.
_FREE = frozenset({400, 401, 402, 403, 404, 413, 429, 503, 529})


@dataclass
class Inside:
    """A house whose model is scripted, one script a conversation."""

    house: House
    claude: MessagesServer
    sites: Sites
    talks: int = 0

    def plan(self, **more: object) -> Call:
        promises = [rows("outputs/notices.csv", 1, "공지를 읽었어요"), delivered()]
        usual: Json = {"hosts": [host(self.sites.port, "/notices")], "contract": promises}
        return plan("공지 봇", "공지를 알려요", ("공지를 읽어요",), **(usual | more))

    def talk(self, language: str = "ko") -> Talk:
        self.talks += 1
        return Talk(self, language, f"{WISHES[language]} #{self.talks}")


@dataclass
class Talk:
    """wish: its first sentence, which no other conversation has. said: all the person wrote, in order."""

    inside: Inside
    language: str
    wish: str
    id: str = ""
    said: list[str] = field(default_factory=list)

    @property
    def person(self) -> Person:
        return self.inside.house.person(language=self.language, patience_s=PATIENCE_S)

    @property
    def path(self) -> str:
        return f"/api/v1/conversations/{self.id}"

    def begins(self, *script: Scripted) -> None:
        self.inside.claude.plays(self.wish, *script)
        body = {"text": self.wish, "timezone": "Asia/Seoul"}
        self.id = self.person.call("POST", "/api/v1/conversations", body)["id"]
        self.said.append(self.wish)

    def says(self, text: str, *script: Scripted) -> None:
        self.inside.claude.plays(self.wish, *script)
        self.said.append(text)
        self.person.call("POST", f"{self.path}/messages", {"text": text})
        self.person.wait(self.path, lambda conversation: words(conversation) == self.said)

    def until(self, *states: str) -> Json:
        """A wait that is announced is waited out by setting the clock forward."""
        waited = 0

        def there(conversation: Json) -> bool:
            nonlocal waited
            announced = steps(conversation, "waiting")
            if len(announced) > waited:
                waited = len(announced)
                clock = self.inside.house.clock
                clock.forward_to(clock.now() + timedelta(seconds=announced[-1]["seconds"] + 1))
            return conversation["state"] in states

        return dict(self.person.wait(self.path, there))

    def proposed(self) -> Json:
        conversation = self.until("proposed", "failed")
        assert conversation["state"] == "proposed", (conversation["problem"], self.inside.claude.problems)
        self.whole(conversation)
        return conversation

    def failed(self, code: str) -> Json:
        """It ended with one sentence in the person's language, and with nothing else."""
        conversation = self.until("proposed", "failed")
        results = [m["data"] for m in conversation["messages"] if m["kind"] == "result"]
        assert [result["code"] for result in results] == [code], (results, self.inside.claude.problems)
        text = str(results[0]["text"])
        assert conversation["problem"] == text
        assert bool(_HANGUL.search(text)) == (self.language == "ko"), text
        assert text.endswith("요." if self.language == "ko" else "."), text
        self.whole(conversation)
        return conversation

    def goes_on(self) -> Json:
        """The next message works: the model knows all that was said before it."""

        def knows(asked: Asked) -> Reply:
            assert self.heard_by(asked)
            return Reply((self.inside.plan(),))

        self.says(NEXT[self.language], Answer(knows))
        return self.proposed()

    def heard_by(self, asked: Asked) -> bool:
        """All the person said is put to the model, be it as a message or as the result of a question."""
        put = json.dumps(asked.body["messages"], ensure_ascii=False)
        return all(text in put for text in self.said)

    def whole(self, conversation: Json) -> None:
        """Every word of the person's stands there once, no script was passed by, and the books are right."""
        assert words(conversation) == self.said
        assert self.inside.claude.left_of(self.wish) == 0
        budget = self.person.wait("/api/v1/budget", lambda budget: budget["leased_tokens"] == 0)
        assert budget["spent_tokens"] <= budget["cap_tokens"]
        assert self.spent() == self.owed()

    def spent(self) -> int:
        """What the ledger wrote down for this conversation."""
        reader = self.inside.house.databases.read("ledger")
        found = reader.query(
            Query("usage", (Where("conversation_id", "==", self.id),), order_by="at", limit=200)
        )
        return sum(entry.data["input_tokens"] + entry.data["output_tokens"] for entry in found)

    def owed(self) -> int:
        answered = self.inside.claude.answered
        return sum(cost(request, got) for request, got in answered if self.wish in Asked(request.body).said)


def cost(request: Recorded, got: Reply | Refuse) -> int:
    """What one request may cost: what the server counted where that was heard, else all that was set aside for it."""
    if free(got):
        return 0
    if isinstance(got, Reply) and not got.broken:
        return got.usage.total
    return PromptCache.counted(request.body) + int(request.body["max_tokens"])


def free(got: Reply | Refuse) -> bool:
    return isinstance(got, Refuse) and got.status in _FREE


def steps(conversation: Json, step: str) -> list[Json]:
    return [m["data"] for m in conversation["messages"] if m["data"].get("step") == step]


def words(conversation: Json) -> list[str]:
    """What the person wrote, as it stands in the conversation."""
    return [m["data"]["text"] for m in conversation["messages"] if m["author"] == "person"]
