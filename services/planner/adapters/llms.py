"""One open model for each workspace: connections are kept between calls, and end when the key changes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from typing import Protocol

from services.planner.adapters.anthropic import SILENCE_S, AnthropicLlm
from services.planner.ports import Llm, LlmEvent, LlmRequest, ModelKey
from shared.clock import Clock
from shared.errors import ProjectError
from shared.telemetry.trace import Tracer, current

# Decision: more workspaces than this build at once on no machine of ours; the one asked longest ago is closed.
_OPEN_AT_MOST = 32


class Closable(Llm, Protocol):
    def close(self) -> None: ...


class _Kept:
    """An Llm that is closed when it was replaced and its last call has ended."""

    def __init__(self, llm: Closable, key: ModelKey, tracer: Tracer) -> None:
        self.key = (key.key, key.base_url)
        self._tracer = tracer
        self._llm = llm
        self._lock = threading.Lock()
        self._calls = 0
        self._retired = False

    def stream(self, request: LlmRequest) -> Generator[LlmEvent, None, None]:
        tracer, parent, failed = self._tracer, current(), False
        began_ns = tracer.now_ns()
        try:
            with self._call(), closing(self._llm.stream(request)) as events:
                yield from events
        except ProjectError:
            failed = True
            raise
        finally:
            own = tracer.child(parent)
            tracer.record("model", own, parent, began_ns, tracer.now_ns(), {}, failed=failed)

    def count(self, request: LlmRequest) -> int:
        with self._call():
            return self._llm.count(request)

    def retire(self) -> None:
        with self._lock:
            self._retired = True
            idle = self._calls == 0
        if idle:
            self._llm.close()

    @contextmanager
    def _call(self) -> Generator[None, None, None]:
        with self._lock:
            self._calls += 1
        try:
            yield
        finally:
            with self._lock:
                self._calls -= 1
                over = self._retired and self._calls == 0
            if over:
                self._llm.close()


class OpenLlms:
    """make: opens an Llm for a key; AnthropicLlm unless a test says otherwise, which gives a call up after
    `silence_s` without a byte."""

    def __init__(
        self,
        clock: Clock,
        make: Callable[[ModelKey], Closable] | None = None,
        *,
        silence_s: float = SILENCE_S,
        tracer: Tracer | None = None,
    ) -> None:
        self._tracer = tracer or Tracer()
        self._make = make or (lambda key: AnthropicLlm(key.key, key.base_url, clock, silence_s=silence_s))
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def llm_for(self, workspace_id: str, key: ModelKey) -> Llm:
        with self._lock:
            kept = self._kept.pop(workspace_id, None)
            old = [kept] if kept is not None and kept.key != (key.key, key.base_url) else []
            if kept is None or old:
                kept = _Kept(self._make(key), key, self._tracer)
            self._kept[workspace_id] = kept
            while len(self._kept) > _OPEN_AT_MOST:
                old.append(self._kept.popitem(last=False)[1])
        for gone in old:
            gone.retire()
        return kept

    def close(self) -> None:
        with self._lock:
            kept, self._kept = list(self._kept.values()), OrderedDict()
        for one in kept:
            one.retire()
