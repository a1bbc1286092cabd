"""A conversation with the model as documents, one a message, and how it is shortened when it grows long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pydantic import BaseModel, ConfigDict, TypeAdapter

from services.planner.builder.tools import ASK, LOOK, PLAN, READ, TEST, WRITE
from services.planner.ports import Block, Message, Text, Thinking, ToolCall, ToolResult
from shared.store.port import Query, Reader, Tx, Where

TURNS = "build_turns"

# Decisions: about 80,000 tokens of Korean or code; well inside every current model's window, and a build that
# long has gone astray more often than not.
LONG_CHARACTERS = 200_000
_KEEP = 8  # messages at the end that stay whole
_STEP = 8  # the border moves this far at once, so that what a provider keeps ready stays valid in between
_STUB = 400

_MESSAGE: TypeAdapter[Message] = TypeAdapter(Message)


class Turn(BaseModel):
    """One message of the transcript, id `<conversation>-<number:06d>`. model, prompt: who wrote it and under
    which instructions; "" for the person's side."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    workspace_id: str
    conversation_id: str
    number: int
    message: dict[str, object]
    model: str = ""
    prompt: str = ""
    at: str


def messages_of(reader: Reader, conversation_id: str) -> tuple[Message, ...]:
    """All of them, oldest first."""
    found: list[Message] = []
    query = Query(TURNS, (Where("conversation_id", "==", conversation_id),), order_by="number", limit=500)
    while page := reader.query(query):
        found += [_MESSAGE.validate_python(document.data["message"]) for document in page]
        query = replace(query, after=(page[-1].data["number"], page[-1].id))
    return tuple(found)


def append(
    tx: Tx, conversation_id: str, first: int, messages: Sequence[Message], at: str, *, model: str, prompt: str
) -> int:
    """Writes messages numbered from `first`; the number after the last."""
    for number, message in enumerate(messages, start=first):
        theirs = message.role == "assistant"
        turn = Turn(
            id=f"{conversation_id}-{number:06d}",
            workspace_id=tx.cause.workspace_id,
            conversation_id=conversation_id,
            number=number,
            message=_MESSAGE.dump_python(message, mode="json"),
            model=model if theirs else "",
            prompt=prompt if theirs else "",
            at=at,
        )
        tx.create(TURNS, turn.id, turn.model_dump(mode="json"))
    return first + len(messages)


def shortened(messages: Sequence[Message], at_most: int = LONG_CHARACTERS) -> tuple[Message, ...]:
    """The conversation small enough to send. What the person said, asked, answered and decided stays word for
    word; what can be read again (files, pages, logs) and old thoughts go first."""
    if _size(messages) <= at_most or len(messages) <= _KEEP:
        return tuple(messages)
    border = max(0, (len(messages) - _KEEP) // _STEP * _STEP)
    lighter = [*map(_lighter, messages[:border]), *messages[border:]]
    if _size(lighter) <= at_most:
        return tuple(lighter)
    while border < len(messages) and messages[border].role != "assistant":
        border += 1
    return (Message("user", (Text(_told(messages[:border])),)), *lighter[border:])


def _size(messages: Sequence[Message]) -> int:
    return sum(_weight(block) for message in messages for block in message.blocks)


def _weight(block: Block) -> int:
    match block:
        case Text() | Thinking() | ToolResult():
            return len(block.text)
        case ToolCall():
            return len(str(block.input or block.raw))
        case _:
            return len(str(block.data))


def _lighter(message: Message) -> Message:
    blocks = [_light(block) for block in message.blocks if not isinstance(block, Thinking)]
    return replace(message, blocks=tuple(blocks) or (Text("…"),))


def _light(block: Block) -> Block:
    match block:
        case ToolCall(name=name, input=given) if name == WRITE and given is not None:
            path = str(given.get("path", ""))
            return replace(block, input={"path": path, "content": "(left out here; read_file has it)"})
        case ToolResult(text=text) if len(text) > _STUB * 2 and "<untrusted" in text:
            return replace(block, text=f"{text[:_STUB]}\n… (left out here; it was read before)\n</untrusted>")
        case _:
            return block


def _told(messages: Sequence[Message]) -> str:
    """What must not be forgotten of messages that are no longer sent."""
    names: dict[str, str] = {}
    lines = ["(The beginning of this conversation, shortened. Files can be read with read_file.)"]
    for message in messages:
        for block in message.blocks:
            match block:
                case Text(text=text) if text.strip():
                    who = "The person" if message.role == "user" else "You"
                    lines.append(f"{who}: {text.strip()[:2_000]}")
                case ToolCall(id=id, name=name):
                    names[id] = name
                    if name in (ASK, PLAN):
                        lines.append(f"You called {name}: {str(dict(block.input or {}))[:3_000]}")
                case ToolResult(call_id=id, text=text) if names.get(id) in (ASK, PLAN):
                    lines.append(f"Result: {text[:2_000]}")
                case ToolResult(call_id=id, text=text) if names.get(id) not in (LOOK, READ, WRITE, TEST):
                    lines.append(f"Result of {names.get(id, 'a call')}: {text[:200]}")
                case _:
                    pass
    return "\n".join(lines)
