"""A call of a model is seen in the trace of what asked for it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing

import pytest

from services.planner.adapters.llms import OpenLlms
from services.planner.ports import LlmEvent, LlmRequest, ModelKey
from shared.clock import FakeClock
from shared.errors import Unavailable
from shared.telemetry.trace import Span, Tracer

ASKED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
KEY = ModelKey(key="k", base_url="", model="m", own=True)
REQUEST = LlmRequest(model="m", messages=(), max_output_tokens=10, limit_s=10)


class Model:
    def __init__(self, *, fails: bool) -> None:
        self._fails = fails

    def stream(self, request: LlmRequest) -> Generator[LlmEvent, None, None]:
        yield from ()
        if self._fails:
            raise Unavailable("overloaded")

    def count(self, request: LlmRequest) -> int:
        return 1

    def close(self) -> None:
        return None


class Kept:
    def __init__(self) -> None:
        self.spans: list[Span] = []

    def take(self, span: Span) -> None:
        self.spans.append(span)


@pytest.mark.parametrize("fails", [False, True])
def test_a_call_is_a_span_and_says_whether_it_failed(fails: bool) -> None:
    kept = Kept()
    tracer = Tracer("planner", kept)
    llms = OpenLlms(FakeClock(), lambda key: Model(fails=fails), tracer=tracer)
    with tracer.span("work", ASKED, {}) as work:
        try:
            with closing(llms.llm_for("wsp", KEY).stream(REQUEST)) as events:
                assert list(events) == []
        except Unavailable:
            assert fails
    llms.close()
    model = kept.spans[0]
    assert (model.name, model.parent, model.failed) == ("model", work.traceparent, fails)
