"""Trace contexts and spans, without anything that carries them."""

from __future__ import annotations

import ast
import threading

import pytest

from shared.clock import FakeClock
from shared.ids import SeededIds
from shared.store.port import Cause
from shared.telemetry.trace import SPANS, Span, Tracer, current, is_sampled, span_id, trace_id, well_formed
from tests.repo.tree import under

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Kept:
    def __init__(self) -> None:
        self.spans: list[Span] = []

    def take(self, span: Span) -> None:
        self.spans.append(span)


@pytest.fixture
def kept() -> Kept:
    return Kept()


def tracer(kept: Kept | None, share: float = 1.0, clock: FakeClock | None = None) -> Tracer:
    return Tracer("gateway", kept, share=share, clock=clock or FakeClock(), ids=SeededIds())


@pytest.mark.parametrize(
    "claimed",
    [
        "",
        "00-1-2-01",
        CALLER.upper(),
        CALLER + "-more",
        "01" + CALLER[2:],
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{'a' * 32}-{'0' * 16}-01",
        CALLER + "\n",
        "x" * 10_000,
    ],
)
def test_what_is_no_traceparent_is_none(claimed: str) -> None:
    assert well_formed(claimed) == ""


def test_a_callers_trace_goes_on_below_the_callers_span(kept: Kept) -> None:
    with tracer(kept).root("request", CALLER, {"method": "POST"}) as span:
        assert trace_id(span.traceparent) == trace_id(CALLER)
        assert span_id(span.traceparent) != span_id(CALLER)
    (found,) = kept.spans
    assert (found.name, found.service, found.parent, found.traceparent) == (
        "request",
        "gateway",
        CALLER,
        span.traceparent,
    )


def test_a_caller_does_not_decide_what_is_recorded(kept: Kept) -> None:
    with tracer(kept, share=0).root("request", CALLER, {}) as span:
        assert trace_id(span.traceparent) == trace_id(CALLER)
        assert not is_sampled(span.traceparent)
    unsampled = CALLER[:-1] + "0"
    with tracer(kept).root("request", unsampled, {}) as span:
        assert is_sampled(span.traceparent)
    assert len(kept.spans) == 1


def test_what_begins_by_itself_is_the_same_when_it_begins_again(kept: Kept) -> None:
    once, again, other = (tracer(kept).begin(key) for key in ("slot_1", "slot_1", "slot_2"))
    assert once == again != other
    assert well_formed(once) == once


def test_about_the_share_of_traces_asked_for_is_recorded(kept: Kept) -> None:
    some = tracer(kept, share=0.25)
    recorded = sum(is_sampled(some.begin(f"slot_{n}")) for n in range(2000))
    assert 400 < recorded < 600


def test_without_a_sink_nothing_is_begun_and_what_came_is_passed_on() -> None:
    silent = tracer(None)
    assert silent.begin("slot_1") == ""
    with silent.root("request", "", {}) as nothing:
        assert (nothing.traceparent, current()) == ("", "")
    with silent.root("request", CALLER, {}):
        assert current() == CALLER
        with silent.span("handle", current(), {}):
            assert current() == CALLER


def test_a_commit_goes_on_from_what_the_thread_is_doing(kept: Kept) -> None:
    seen: list[str] = []
    ours = tracer(kept)
    with ours.span("handle", CALLER, {}) as outer:
        assert Cause("wsp", "actor").traceparent == outer.traceparent
        with ours.span("work", current(), {}) as inner:
            assert Cause("wsp", "actor").traceparent == inner.traceparent
        assert current() == outer.traceparent
        other = threading.Thread(target=lambda: seen.append(current()))
        other.start()
        other.join()
    assert (current(), seen) == ("", [""])
    assert [span.name for span in kept.spans] == ["work", "handle"]
    assert kept.spans[0].parent == outer.traceparent


def test_a_span_has_its_times_its_failure_and_short_texts(kept: Kept) -> None:
    clock = FakeClock()
    began = round(clock.now().timestamp()) * 10**9

    def work() -> None:
        with tracer(kept, clock=clock).span("handle", CALLER, {"event": "e" * 500}):
            clock.advance(seconds=1.5)
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        work()
    (span,) = kept.spans
    assert (span.began_ns, span.ended_ns - span.began_ns) == (began, 1_500_000_000)
    assert span.failed
    assert len(str(span.attributes["event"])) == 120


def test_nothing_is_recorded_of_a_trace_that_is_not(kept: Kept) -> None:
    with tracer(kept).span("handle", CALLER[:-1] + "0", {}) as span:
        assert span.traceparent == CALLER[:-1] + "0"
    tracer(kept).record("fetch", CALLER[:-1] + "0", "", 1, 2, {})
    assert kept.spans == []


def test_every_span_is_begun_somewhere_and_none_is_not_on_the_list() -> None:
    used = {
        node.args[0].value
        for source in (*under("shared"), *under("services"))
        for node in ast.walk(ast.parse(source.text))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("span", "root", "record")
        and len(node.args) >= (6 if node.func.attr == "record" else 3)
        and isinstance(node.args[0], ast.Constant)
    }
    assert used == set(SPANS)
