"""What a scripted model does, said once: `ScriptedLlm` plays it in the process, `MessagesServer` on a socket.

A script is a list of replies, one a request. Whatever holds for one player must hold for the other.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from services.planner.ports import Usage


@dataclass(frozen=True)
class Say:
    """A block of text, sent in pieces of `every` characters. `open`: it is never closed (for faults)."""

    text: str
    every: int = 12
    open: bool = False


@dataclass(frozen=True)
class Think:
    text: str
    signature: str = "signed"
    every: int = 12


@dataclass(frozen=True)
class Call:
    """A tool call; `raw` instead of `input` when what the model writes is no JSON object."""

    name: str
    input: Mapping[str, object] | None = None
    id: str = "toolu_1"
    raw: str | None = None
    every: int = 3
    open: bool = False

    @property
    def text(self) -> str:
        return json.dumps(self.input or {}, ensure_ascii=False) if self.raw is None else self.raw


@dataclass(frozen=True)
class Raw:
    """A block of any other type, sent whole."""

    block: Mapping[str, object]


@dataclass(frozen=True)
class Ping:
    pass


@dataclass(frozen=True)
class Do:
    """Runs between two events: waits for a test, or moves its clock."""

    action: Callable[[], object]


@dataclass(frozen=True)
class Cut:
    """The connection breaks. `reset`: by a reset instead of an end in the middle of the body."""

    reset: bool = False


@dataclass(frozen=True)
class Truncate:
    """The body ends as if all had been said."""


@dataclass(frozen=True)
class Silence:
    """Nothing more is sent until the other side goes; `left` of the player is set then."""


@dataclass(frozen=True)
class Fail:
    """An error event in the middle of the stream, which began with status 200."""

    type: str = "overloaded_error"
    message: str = "Overloaded"


@dataclass(frozen=True)
class Garbage:
    """An event whose data is not what the protocol knows."""

    data: str = '{"type": "content_block_delta", "index": 7'


Fault = Cut | Truncate | Silence | Fail | Garbage
Item = Say | Think | Call | Raw | Ping | Do | Fault


USAGE = Usage(input=25, output=15)


@dataclass(frozen=True)
class Reply:
    """One answer. `stop_reason` None: tool_use when a call is in it, else end_turn."""

    items: tuple[Item, ...] = ()
    stop_reason: str | None = None
    usage: Usage = USAGE
    stop_details: Mapping[str, str] | None = None
    fault_after_stop: Fault | None = None

    @property
    def broken(self) -> bool:
        """It never comes to its end, so that nobody hears what it was counted at."""
        return any(isinstance(item, Fault) for item in self.items)

    @property
    def reason(self) -> str:
        called = any(isinstance(item, Call) for item in self.items)
        return self.stop_reason or ("tool_use" if called else "end_turn")


@dataclass(frozen=True)
class Refuse:
    """An HTTP error instead of an answer. counted: whether counting meets it as well, when it comes first."""

    status: int
    type: str = "api_error"
    message: str = "made up for a test"
    retry_after: str | None = None
    location: str | None = None
    counted: bool = True


class Asked:
    """One request as a script reads it. body: as it was sent.

    said     everything the person and the platform wrote, results of calls left out, oldest first
    results  of the newest message: the call's id -> what came of it
    """

    def __init__(self, body: Mapping[str, object]) -> None:
        self.body = body
        messages = body.get("messages")
        self._messages = messages if isinstance(messages, list) else []

    @property
    def said(self) -> list[str]:
        blocks = [block for m in self._messages if m.get("role") == "user" for block in _blocks(m)]
        return [str(block.get("text")) for block in blocks if block.get("type") == "text"]

    @property
    def turn(self) -> int:
        """How often the model has answered in this conversation: the same when a request is sent again."""
        return sum(1 for message in self._messages if message.get("role") == "assistant")

    @property
    def results(self) -> dict[str, str]:
        newest = _blocks(self._messages[-1]) if self._messages else []
        return {
            str(block["tool_use_id"]): result_text(block)
            for block in newest
            if block.get("type") == "tool_result"
        }

    @property
    def told(self) -> str:
        """All results of the newest message."""
        return "\n".join(self.results.values())


def result_text(block: Mapping[str, object]) -> str:
    """A tool result's content, which is a text or a list of blocks."""
    content = block.get("content") or ""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))


@dataclass(frozen=True)
class Answer:
    """A reply that follows from the request: `make` reads what came of the calls and answers.

    `always`: it answers every request from here on, so nothing of a script after it is reached.
    """

    make: Callable[[Asked], Reply | Refuse]
    always: bool = False


Scripted = Reply | Refuse | Answer


def by_turn(*replies: Scripted) -> Answer:
    """One reply for each turn of one conversation, the same one as often as that turn is taken."""

    def make(asked: Asked) -> Reply | Refuse:
        reply = replies[asked.turn]
        return reply.make(asked) if isinstance(reply, Answer) else reply

    return Answer(make, always=True)


class Script:
    """Replies in order, taken by one request each. Not thread-safe: whoever plays it holds a lock."""

    def __init__(self, *replies: Scripted) -> None:
        self._left = deque(replies)

    def extend(self, *replies: Scripted) -> None:
        self._left.extend(replies)

    def __len__(self) -> int:
        """How many replies are left; one that is for always counts as one."""
        return len(self._left)

    def next_for(self, body: Mapping[str, object]) -> Reply | Refuse | None:
        """None: nothing is left to say."""
        if not self._left:
            return None
        head = self._left[0]
        if not (isinstance(head, Answer) and head.always):
            self._left.popleft()
        return head.make(Asked(body)) if isinstance(head, Answer) else head

    def refusal(self) -> Refuse | None:
        """The next entry when it is a refusal, taken: counting meets those, and nothing else of a script."""
        head = self._left[0] if self._left else None
        if not isinstance(head, Refuse) or not head.counted:
            return None
        self._left.popleft()
        return head


def written(reply: Reply) -> str:
    """All text the model wrote in this answer: what its output tokens are counted from."""
    texts = [item.text for item in reply.items if isinstance(item, Say | Think | Call)]
    return "".join(texts)


def pieces(text: str, every: int) -> Iterator[str]:
    """Never half a character; nothing for an empty text."""
    for start in range(0, len(text), every):
        yield text[start : start + every]


def complaint(body: Mapping[str, object]) -> str | None:
    """Why the API would refuse this body with a 400, for the rules that a conversation can break."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return "messages: at least one message is required"
    if messages[0].get("role") != "user":
        return "messages: first message must use the user role"
    for at, message in enumerate(messages):
        blocks = _blocks(message)
        if not blocks and at < len(messages) - 1:
            return f"messages.{at}: all messages must have non-empty content"
        if any(block.get("type") == "text" and not block.get("text") for block in blocks):
            return f"messages.{at}: text content blocks must be non-empty"
        calls = {block["id"] for block in blocks if block.get("type") == "tool_use"}
        before = _blocks(messages[at - 1]) if at else []
        asked = {block["id"] for block in before if block.get("type") == "tool_use"}
        results = {block["tool_use_id"] for block in blocks if block.get("type") == "tool_result"}
        if results - asked:
            return f"messages.{at}: unexpected `tool_use_id`: no such `tool_use` in the previous message"
        if asked - results:
            return (
                f"messages.{at - 1}: `tool_use` ids were found without `tool_result` blocks immediately after"
            )
        if calls and at == len(messages) - 1:
            return f"messages.{at}: `tool_use` ids were found without `tool_result` blocks immediately after"
    return None


def _blocks(message: Mapping[str, object]) -> list[dict[str, object]]:
    content = message.get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return content if isinstance(content, list) else []
