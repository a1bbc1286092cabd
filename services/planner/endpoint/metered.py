"""A call of a running agent: whose key, which lease, set aside, asked, passed on, counted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any

from services.planner import meter
from services.planner.endpoint import models
from services.planner.endpoint.fields import Asked, Counted
from services.planner.endpoint.says import told
from services.planner.endpoint.tally import StreamTally, usage_of
from services.planner.ports import Keys, Messages, ModelKey, Relayed, Usage
from shared.clock import Clock
from shared.errors import (
    BadRequest,
    Interrupted,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    OverBudget,
    ProjectError,
    TooLarge,
    Unavailable,
)
from shared.ids import Ids
from shared.records.executor import Run
from shared.store.port import Cause, Reader, Store
from shared.vault.run_tokens import Asking

# Of an answer in one piece nothing is heard until it is whole, and the egress gateway gives a silent side 300 s.
STREAM_S, WHOLE_S, COUNT_S = 600.0, 240.0, 30.0
_LARGEST_ANSWER = 32 << 20
# Decision: more than an image can be worth, for servers that cannot count.
_IMAGE_TOKENS = 8_000
_SPARE_TOKENS = 500
# A run begins on the same event that opens its meter here, and may ask before this service has heard of it.
_LATE_S, _LOOK_S = 10.0, 0.1


@dataclass(frozen=True)
class Answer:
    """chunks has a `close`, which must be called: it counts what nobody read to the end."""

    content_type: str
    request_id: str
    chunks: Passing


class MeteredCalls:
    """One for all runs. Blocks its thread while a model writes."""

    def __init__(
        self,
        store: Store,
        executor: Reader,
        keys: Keys,
        messages: Messages,
        clock: Clock,
        ids: Ids,
        late_s: float = _LATE_S,
    ) -> None:
        """late_s: how long a run's meter may be on its way; what has none by then has no tokens."""
        self._late_s = late_s
        self._store = store
        self._executor = executor
        self._keys = keys
        self._messages = messages
        self._clock = clock
        self._ids = ids

    def count(self, asking: Asking, asked: Counted) -> int:
        """Costs nothing. Raises as `ask`, but for the lease."""
        key = self._key(asking)
        model = models.chosen(asked.model, key.model)
        return self._messages.count(key, {**asked.sent(), "model": model}, COUNT_S)

    def ask(self, asking: Asking, asked: Asked) -> Answer:
        """Raises: NotAuthenticated when the run is over, NotAllowed without a key or a lease, OverBudget when the
        lease cannot pay for it, BadRequest for a model it may not ask, and the errors of `Messages`."""
        key = self._key(asking)
        model = models.chosen(asked.model, key.model)
        tokens = self._tokens(key, {**asked.counting(), "model": model}) + asked.max_tokens
        limit_s = STREAM_S if asked.stream else WHOLE_S
        call_id = self._ids.new("call")
        self._await_meter(asking.lease_id)
        self._reserve(asking, call_id, model, tokens, limit_s)
        call = _Call(self._store, asking, call_id)
        asking_for = self._messages.ask(key, {**asked.sent(), "model": model}, limit_s)
        return call.begin(asking_for, streamed=bool(asked.stream))

    def _key(self, asking: Asking) -> ModelKey:
        document = self._executor.get("runs", asking.run_id)
        run = Run.from_doc(document.data) if document else None
        current = (
            run is not None
            and run.status in ("queued", "running")
            and (run.workspace_id, run.attempt_id, run.lease_id)
            == (asking.workspace_id, asking.attempt_id, asking.lease_id)
        )
        if not current:
            raise NotAuthenticated("이 실행은 끝났어요. (The run that asks is over.)", code="no_run")
        key = self._keys.key_for(asking.workspace_id)
        if key is None:
            raise NotAllowed(
                "이 워크스페이스에 연결된 Claude가 없어요. 설정에서 Claude를 연결하면 에이전트가 물어볼 수 있어요. "
                "(No Claude is connected to this workspace. Connect one in the settings, and the agent can ask it.)",
                code="no_key",
            )
        return key

    def _tokens(self, key: ModelKey, body: dict[str, Any]) -> int:
        try:
            return self._messages.count(key, body, COUNT_S)
        except ProjectError as error:
            if isinstance(error, Unavailable | TooLarge) or error.code in ("key_refused", "no_credit"):
                raise
            return at_most(body)  # a server that cannot count

    def _await_meter(self, lease_id: str) -> None:
        """Returns when it is there, or too late."""
        if meter.find_meter(self._store, lease_id) is not None:
            return
        until = self._clock.monotonic() + self._late_s
        watch = self._store.watch([meter.METERS])
        try:
            while meter.find_meter(self._store, lease_id) is None and self._clock.monotonic() < until:
                watch.wait(_LOOK_S)
        finally:
            watch.close()

    def _reserve(self, asking: Asking, call_id: str, model: str, tokens: int, limit_s: float) -> None:
        try:
            meter.reserve(
                self._store,
                asking.lease_id,
                call_id,
                turn=call_id,
                model=model,
                tokens=tokens,
                limit_s=limit_s,
                clock=self._clock,
            )
        except NotFound as error:
            text = "이 실행에는 허락된 토큰이 없어요. (No tokens were allowed for this run.)"
            raise NotAllowed(text, code="no_tokens") from error
        except OverBudget as error:
            raise self._used_up(asking, tokens, error.code) from error

    def _used_up(self, asking: Asking, tokens: int, code: str) -> OverBudget:
        found = meter.find_meter(self._store, asking.lease_id)
        left = found.left if found else 0
        if code == "lease_late":
            korean, english = (
                "이 실행에 정한 시간이 거의 끝났어요.",
                "The time set for this run is almost over.",
            )
        else:
            korean = f"이 실행에 쓸 수 있는 토큰이 모자라요: {tokens:,}개가 필요한데 {left:,}개가 남았어요."
            english = f"The tokens of this run do not cover this call: {tokens:,} needed, {left:,} left."
        return OverBudget(f"{korean} ({english})", code=code)


class _Call:
    """From the reservation to its settlement, exactly one."""

    def __init__(self, store: Store, asking: Asking, call_id: str) -> None:
        self._store = store
        self._asking = asking
        self._call_id = call_id
        self._settled = False

    def begin(self, asking_for: AbstractContextManager[Relayed], *, streamed: bool) -> Answer:
        opened = ExitStack()
        try:
            relayed = opened.enter_context(asking_for)
        except Interrupted:
            self.settle(None)
            raise
        except ProjectError:
            meter.release(self._store, self._asking.lease_id, self._call_id)
            raise
        except BaseException:
            self.settle(None)
            raise
        passing = Passing(relayed.chunks, opened, self)
        if not streamed:
            passing = passing.whole()
        return Answer(relayed.content_type, relayed.request_id, passing)

    def settle(self, usage: Usage | None) -> None:
        if self._settled:
            return
        self._settled = True
        lease_id, call_id = self._asking.lease_id, self._call_id
        cause = Cause(self._asking.workspace_id, "service:planner")
        self._store.transact(lambda tx: meter.settle(tx, lease_id, call_id, usage), cause=cause)


class Passing:
    """The bytes of an answer on their way to the code. Counted before the piece that ends it is handed on: a run
    that has its answer may be over in the next moment, and is told what it used."""

    def __init__(self, chunks: Iterator[bytes], opened: ExitStack, call: _Call) -> None:
        self._chunks = chunks
        self._opened = opened
        self._call = call
        self._tally = StreamTally()

    def whole(self) -> Passing:
        """The same, read to its end already. Raises: Interrupted."""
        data = bytearray()
        try:
            for chunk in self._chunks:
                data += chunk
                if len(data) > _LARGEST_ANSWER:
                    raise Interrupted("The answer is larger than allowed.", code="garbled")
            self._call.settle(usage_of(bytes(data)))
        finally:
            self.close()
        return Passing(iter([bytes(data)]), ExitStack(), self._call)

    def __iter__(self) -> Passing:
        return self

    def __next__(self) -> bytes:
        try:
            chunk = next(self._chunks)
        except ProjectError as error:
            self.close()
            self._chunks = iter(())
            return _error_event(error)
        except BaseException:  # the end of it as well
            self.close()
            raise
        self._tally.hear(chunk)
        if self._tally.over:
            self._call.settle(self._tally.usage())
        return chunk

    def close(self) -> None:
        """What has not been told by now is unknown."""
        try:
            self._opened.close()
        finally:
            self._call.settle(self._tally.usage())


def _error_event(error: ProjectError) -> bytes:
    """As the API says in a stream that it cannot go on."""
    said = {"type": "error", "error": {"type": "api_error", "message": told(error), "code": error.code}}
    return f"event: error\ndata: {json.dumps(said, ensure_ascii=False)}\n\n".encode()


def at_most(body: dict[str, Any]) -> int:
    """Tokens that cannot be exceeded, for a server that does not count: none holds less than a byte of what is
    sent, and a picture is worth a bounded number whatever its size. Raises: BadRequest for a PDF, of which a few
    bytes may be many pages."""
    if _holds_pdf(body):
        text = (
            "연결된 서버가 토큰을 미리 세지 못해서 PDF는 보낼 수 없어요. 글로 바꿔서 보내 주세요. "
            "(The connected server cannot count tokens beforehand, so no PDF can be sent; send its text.)"
        )
        raise BadRequest(text, code="cannot_count")
    pictures, text = 0, json.dumps(_without_pictures(body), ensure_ascii=False)
    for message in body["messages"]:
        content = message["content"]
        pictures += sum(_pictures(block) for block in content) if isinstance(content, list) else 0
    return len(text.encode()) + pictures * _IMAGE_TOKENS + _SPARE_TOKENS


def _holds_pdf(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_holds_pdf, value))
    if not isinstance(value, dict):
        return False
    return value.get("media_type") == "application/pdf" or any(map(_holds_pdf, value.values()))


def _pictures(block: dict[str, Any]) -> int:
    inside = block.get("content")
    below: int = sum(_pictures(one) for one in inside) if isinstance(inside, list) else 0
    return below + int(block["type"] == "image")


def _without_pictures(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_pictures(one) for one in value]
    if isinstance(value, dict):
        if value.get("type") == "image" and "source" in value:
            return {"type": "image"}
        return {key: _without_pictures(below) for key, below in value.items()}
    return value
