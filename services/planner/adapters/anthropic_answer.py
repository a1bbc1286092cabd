"""One answer of the Messages API, gathered from its stream events."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from services.planner.adapters import anthropic_errors
from services.planner.ports import (
    Alive,
    Block,
    Json,
    LlmAnswer,
    LlmEvent,
    Opaque,
    StopReason,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolCallDone,
    ToolCallStarted,
    ToolInputDelta,
    Usage,
)

_STOPS: dict[str, StopReason] = {
    "end_turn": "end_turn",
    "tool_use": "tool_use",
    "max_tokens": "max_tokens",
    "stop_sequence": "stop_sequence",
    "pause_turn": "pause_turn",
    "refusal": "refusal",
    "model_context_window_exceeded": "context_window",
}
_CUT_OFF: frozenset[StopReason] = frozenset({"max_tokens", "context_window"})
_HALF_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")


@dataclass
class _Part:
    """A block while it is written. `start`: as the server opened it."""

    start: dict[str, Any]
    text: str = ""
    signature: str = ""
    json: str = ""

    @property
    def type(self) -> str:
        return str(self.start["type"])


@dataclass
class Gathering:
    """`take` every event's data in order, to the end; then, if `complete`, the answer stands."""

    request_id: str = ""
    _model: str = ""
    _parts: list[_Part] = field(default_factory=list)
    _usage: dict[str, Any] = field(default_factory=dict)
    _counted: bool = False
    _stop: str | None = None
    _stop_detail: str = ""

    @property
    def complete(self) -> bool:
        """The reason for stopping is the last thing an answer needs; what follows it is only goodbye."""
        return self._stop is not None

    def take(self, data: str) -> Iterator[LlmEvent]:
        """Raises: Interrupted, for an error event and for what is no event of this protocol."""
        try:
            yield from self._take(_parsed(data))
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
            raise anthropic_errors.garbled() from error

    def answer(self) -> LlmAnswer:
        if self._stop is None:
            raise anthropic_errors.unfinished()
        reason = _STOPS.get(self._stop, "other")
        blocks = [_block(part) for part in self._parts]
        if reason in _CUT_OFF and blocks and isinstance(last := blocks[-1], ToolCall) and not last.raw:
            blocks[-1] = replace(last, input=None)  # cut before its first letter, or a call without input
        return LlmAnswer(
            blocks=tuple(blocks),
            stop_reason=reason,
            usage=Usage.reported(self._usage) if self._counted else None,
            request_id=self.request_id,
            model=self._model,
            stop_detail=self._stop if reason == "other" else self._stop_detail,
        )

    def _take(self, event: dict[str, Any]) -> Iterator[LlmEvent]:
        """Types that came later than this list are passed over, as the API asks of its clients."""
        match event["type"]:
            case "message_start":
                message = event["message"]
                self._model = str(message.get("model") or "")
                self._usage = dict(message.get("usage") or {})
            case "content_block_start":
                yield from self._open(int(event["index"]), dict(event["content_block"]))
            case "content_block_delta":
                yield from self._grow(int(event["index"]), event["delta"])
            case "content_block_stop":
                part = self._parts[int(event["index"])]
                if isinstance(call := _block(part), ToolCall):
                    yield ToolCallDone(int(event["index"]), call)
            case "message_delta":
                self._stopped(event["delta"], event.get("usage") or {})
            case "error":
                error = event.get("error") or {}
                raise anthropic_errors.failed_midway(str(error.get("type")), str(error.get("message") or ""))
            case "ping":
                yield Alive()

    def _open(self, index: int, start: dict[str, Any]) -> Iterator[LlmEvent]:
        if index != len(self._parts):
            raise ValueError("blocks come in order")
        part = _Part(start)
        self._parts.append(part)
        if part.type == "tool_use":
            yield ToolCallStarted(index, str(start["id"]), str(start["name"]))
        for kind in ("text", "thinking"):
            if part.type == kind and start.get(kind):
                yield from self._grow(index, {"type": f"{kind}_delta", kind: start[kind]})

    def _grow(self, index: int, delta: dict[str, Any]) -> Iterator[LlmEvent]:
        part = self._parts[index]
        match delta["type"]:
            case "text_delta":
                part.text += delta["text"]
                yield TextDelta(index, delta["text"])
            case "thinking_delta":
                part.text += delta["thinking"]
                yield ThinkingDelta(index, delta["thinking"])
            case "signature_delta":
                part.signature += delta["signature"]
            case "input_json_delta":
                part.json += delta["partial_json"]
                if part.type == "tool_use" and delta["partial_json"]:
                    yield ToolInputDelta(index, delta["partial_json"])

    def _stopped(self, delta: dict[str, Any], usage: dict[str, Any]) -> None:
        """Counts here are of the whole answer so far; only those given replace what its start said."""
        self._stop = delta.get("stop_reason") or self._stop
        self._usage |= {name: count for name, count in usage.items() if count is not None}
        self._counted = self._counted or usage.get("output_tokens") is not None
        details = delta.get("stop_details") or {}
        said = [str(details[name]) for name in ("category", "explanation") if details.get(name)]
        self._stop_detail = ": ".join(said) or str(delta.get("stop_sequence") or "")


def _parsed(data: str) -> dict[str, Any]:
    value = json.loads(data)
    if _HALF_CHARACTER.search(data):  # half a character is no text: nothing that follows could store it
        value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    if not isinstance(value, dict):
        raise TypeError("an event is an object")
    return value


def _block(part: _Part) -> Block:
    match part.type:
        case "text":
            return Text(part.text)
        case "thinking":
            return Thinking(part.text, part.signature or str(part.start.get("signature") or ""))
        case "tool_use":
            given = part.start.get("input")
            read = _object(part.json) if part.json else given if isinstance(given, dict) else {}
            return ToolCall(str(part.start["id"]), str(part.start["name"]), read, part.json)
        case _:
            return Opaque(part.start | ({"input": _object(part.json) or {}} if part.json else {}))


def _object(raw: str) -> Json | None:
    """The JSON object `raw` is, or None; numbers JSON does not know and half characters are refused too."""
    try:
        value = json.loads(raw, parse_constant=_unknown_number)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _unknown_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON")
