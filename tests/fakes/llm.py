"""A language model that says what a test wrote down. Passes the contract suite of the Llm port."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace

from services.planner.adapters import anthropic_errors
from services.planner.adapters.anthropic_request import answered, asked
from services.planner.ports import (
    Alive,
    Block,
    LlmAnswer,
    LlmEvent,
    LlmRequest,
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
)
from shared.clock import Clock, SystemClock
from tests.fakes.llm_script import (
    Call,
    Cut,
    Do,
    Fail,
    Garbage,
    Item,
    Ping,
    Raw,
    Refuse,
    Reply,
    Say,
    Script,
    Scripted,
    Silence,
    Think,
    Truncate,
    complaint,
    pieces,
)
from tests.fakes.prompt_cache import PromptCache

_STOPS: dict[str, StopReason] = {
    "end_turn": "end_turn",
    "tool_use": "tool_use",
    "max_tokens": "max_tokens",
    "stop_sequence": "stop_sequence",
    "pause_turn": "pause_turn",
    "refusal": "refusal",
    "model_context_window_exceeded": "context_window",
}


class ScriptedLlm:
    """Answers with the next scripted reply; a request more than was scripted is a mistake of the test.

    requests   those of `stream` and `count`, in order
    left       set when a stream was closed before its end
    tokens     what `count` says
    cache      counts as MessagesServer does with one
    """

    def __init__(
        self,
        *script: Scripted,
        clock: Clock | None = None,
        silence_s: float = 60,
        cache: PromptCache | None = None,
    ) -> None:
        self.requests: list[LlmRequest] = []
        self.left = threading.Event()
        self.tokens = 25
        self._script = Script(*script)
        self._cache = cache
        self._clock = clock or SystemClock()
        self._silence_s = silence_s
        self._lock = threading.Lock()

    def enqueue(self, *script: Scripted) -> None:
        with self._lock:
            self._script.extend(*script)

    def stream(self, request: LlmRequest) -> Generator[LlmEvent, None, None]:
        end = self._clock.monotonic() + request.limit_s
        reply = self._next(request)
        if why := complaint(answered(request)):
            raise anthropic_errors.refused(400, "invalid_request_error", why, model=request.model)
        blocks: list[Block] = []
        ended = False
        try:
            with closing(self._play(reply, blocks)) as events:
                for event in events:
                    yield event
                    if self._clock.monotonic() > end:
                        raise anthropic_errors.overdue(request.limit_s)
            ended = True
        finally:
            if not ended:
                self.left.set()
        yield _answer(reply, blocks, request.model, f"req_{len(self.requests)}")

    def count(self, request: LlmRequest) -> int:
        with self._lock:
            refusal = self._script.refusal()
            self.requests.append(request)
            if self._cache is not None:
                self.tokens = self._cache.counted(asked(request))
        if isinstance(refusal, Refuse):
            raise _refusal(refusal, request.model)
        if why := complaint(asked(request)):
            raise anthropic_errors.refused(400, "invalid_request_error", why, model=request.model)
        return self.tokens

    def _next(self, request: LlmRequest) -> Reply:
        with self._lock:
            self.requests.append(request)
            body = answered(request)
            reply = self._script.next_for(body)
            if reply is None:
                raise AssertionError("the model was asked once more than the script says")
            if self._cache is not None and isinstance(reply, Reply):
                reply = self._cache.answered(body, reply)
        if isinstance(reply, Refuse):
            raise _refusal(reply, request.model)
        return reply

    def _play(self, reply: Reply, blocks: list[Block]) -> Generator[LlmEvent, None, None]:
        for item in reply.items:
            match item:
                case Ping():
                    yield Alive()
                case Do(action):
                    action()
                case Say() | Think() | Call() | Raw():
                    yield from _block(len(blocks), item, blocks)
                case _:
                    self._break(item)

    def _break(self, fault: Item) -> None:
        match fault:
            case Cut():
                raise anthropic_errors.cut()
            case Truncate():
                raise anthropic_errors.unfinished()
            case Silence():
                raise anthropic_errors.silent(self._silence_s)
            case Fail(type, message):
                raise anthropic_errors.failed_midway(type, message)
            case Garbage():
                raise anthropic_errors.garbled()


def _block(index: int, item: Say | Think | Call | Raw, blocks: list[Block]) -> Iterator[LlmEvent]:
    match item:
        case Say(text, every):
            yield from (TextDelta(index, piece) for piece in pieces(text, every))
            blocks.append(Text(text))
        case Think(text, signature, every):
            yield from (ThinkingDelta(index, piece) for piece in pieces(text, every))
            blocks.append(Thinking(text, signature))
        case Call():
            yield ToolCallStarted(index, item.id, item.name)
            yield from (ToolInputDelta(index, piece) for piece in pieces(item.text, item.every))
            call = ToolCall(item.id, item.name, _read(item.text), item.text)
            blocks.append(call)
            if not item.open:
                yield ToolCallDone(index, call)
        case Raw(block):
            blocks.append(Opaque(dict(block)))


def _read(text: str) -> dict[str, object] | None:
    try:
        value = json.loads(text) if text else {}
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _answer(reply: Reply, blocks: list[Block], model: str, request_id: str) -> LlmAnswer:
    reason = _STOPS.get(reply.reason, "other")
    last = blocks[-1] if blocks else None
    if reason in ("max_tokens", "context_window") and isinstance(last, ToolCall) and not last.raw:
        blocks[-1] = replace(last, input=None)
    details = ": ".join((reply.stop_details or {}).values())
    return LlmAnswer(
        blocks=tuple(blocks),
        stop_reason=reason,
        usage=reply.usage,
        request_id=request_id,
        model=model,
        stop_detail=reply.reason if reason == "other" else details,
    )


def _refusal(refusal: Refuse, model: str) -> Exception:
    wait = None if refusal.retry_after is None else float(refusal.retry_after)
    return anthropic_errors.refused(
        refusal.status, refusal.type, refusal.message, model=model, retry_after_s=wait
    )
