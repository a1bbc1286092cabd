"""Traces: which piece of work led to which, from a request to the last delivery.

The context is W3C Trace Context, as text: it travels in every event (`ce-traceparent`), in every claim and in the
run's document, so it survives redelivery and death. Nobody else makes or reads one.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Protocol, Self

from shared.clock import Clock, SystemClock
from shared.ids import Ids, RandomIds

SpanName = Literal["request", "slot", "handle", "work", "attempt", "fetch", "model"]
SPANS: Mapping[SpanName, str] = {
    "request": "One HTTP request at the gateway, without the time its stream stays open.",
    "slot": "One planned firing, from its time until a run was asked for.",
    "handle": "One event to one service: everything up to its commit. Twice when it was delivered twice.",
    "work": "One attempt at a claim: the part that touches the outside, and recording what came of it.",
    "attempt": "One attempt of a run, from the order for its sandbox until its end is written down.",
    "fetch": "One request that an agent's code made.",
    "model": "One call of a model by the planner.",
}
AttributeName = Literal[
    "event", "verdict", "tries", "waited_ms", "method", "route", "status", "host", "reason", "kind", "number"
]
ATTRIBUTES: Mapping[AttributeName, str] = {
    "event": "type of the event, without the prefix",
    "verdict": "what became of an event (ack, retry, dead) or of a request (sent, refused, practice, …)",
    "tries": "earlier tries of the same claim",
    "waited_ms": "between the event's commit and its handling, in milliseconds",
    "method": "HTTP method",
    "route": "pattern of the route; never the address that was asked for",
    "status": "HTTP status",
    "host": "a host the agent's manifest names; others are `(undeclared)`: their names are the code's words",
    "reason": "stable code of how an attempt or request ended",
    "kind": "kind of the run",
    "number": "of the attempt, from 1",
}
Attribute = str | int
Attributes = Mapping[AttributeName, Attribute]

_FORM = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_MAX_TEXT = 120
_current: ContextVar[str] = ContextVar("traceparent", default="")


def current() -> str:
    """The traceparent of what this thread is doing; "" outside of everything."""
    return _current.get()


def trace_id(traceparent: str) -> str:
    return traceparent[3:35]


def span_id(traceparent: str) -> str:
    return traceparent[36:52]


def is_sampled(traceparent: str) -> bool:
    return traceparent != "" and int(traceparent[-2:], 16) & 1 == 1


def well_formed(claimed: str) -> str:
    """What somebody sent as a traceparent, "" when it is none.

    Source: www.w3.org/TR/trace-context section 3.2 (version 00)."""
    return claimed if _FORM.fullmatch(claimed) else ""


@dataclass(frozen=True)
class Span:
    """One piece of work that has ended. Times in nanoseconds since 1970; parent is "" where the trace begins."""

    service: str
    name: SpanName
    traceparent: str
    parent: str
    began_ns: int
    ended_ns: int
    failed: bool = False
    attributes: Attributes = field(default_factory=dict)


class Sink(Protocol):
    def take(self, span: Span) -> None:
        """Keep it, or lose it; never wait and never raise. Called from any thread."""


class Tracer:
    """One service's. sink: where spans go; None: nowhere, and then no trace is begun either, one that a caller has
    begun is only passed on. share: how many of the traces begun here are recorded, 0 to 1.
    """

    def __init__(
        self,
        service: str = "",
        sink: Sink | None = None,
        *,
        share: float = 1.0,
        clock: Clock | None = None,
        ids: Ids | None = None,
    ) -> None:
        self._service = service
        self._sink = sink
        self._share = share
        self._clock = clock or SystemClock()
        self._random = random.Random((ids or RandomIds()).token())  # to tell apart; nothing to guess

    def begin(self, key: str) -> str:
        """The context of something that begins here by itself. The same for the same key, so that a function that
        runs again begins nothing anew. "" where nothing is recorded."""
        if self._sink is None:
            return ""
        text = hashlib.sha256(key.encode()).hexdigest()
        sampled = int(text[48:56], 16) < self._share * 2**32
        return f"00-{text[:32]}-{text[32:48]}-{int(sampled):02x}"

    def root(self, name: SpanName, asked: str, attributes: dict[AttributeName, Attribute]) -> Open:
        """As `span`, for what somebody outside asked for. asked: the traceparent he sent, or anything; his trace is
        continued, but whether it is recorded is decided here, or a stranger could fill the collector."""
        came = well_formed(asked)
        if self._sink is None:
            return Open(self, name, came, came, attributes)
        trace = trace_id(came) or f"{self._random.getrandbits(128) or 1:032x}"
        sampled = self._random.random() < self._share
        return Open(self, name, f"00-{trace}-{self._span()}-{int(sampled):02x}", came, attributes)

    def child(self, parent: str) -> str:
        """The context of a piece of work under `parent`; the same where nothing is recorded."""
        if self._sink is None or not is_sampled(parent):
            return parent
        return f"{parent[:36]}{self._span()}{parent[52:]}"

    def span(self, name: SpanName, parent: str, attributes: dict[AttributeName, Attribute]) -> Open:
        """A piece of work of this thread, recorded when the block ends; what it commits meanwhile carries on
        from it. `attributes` may grow until then."""
        return Open(self, name, self.child(parent), parent, attributes)

    def now_ns(self) -> int:
        return round(self._clock.now().timestamp() * 1e6) * 1000

    def record(
        self,
        name: SpanName,
        traceparent: str,
        parent: str,
        began_ns: int,
        ended_ns: int,
        attributes: Attributes,
        *,
        failed: bool = False,
    ) -> None:
        """A piece of work that has ended; `traceparent` as given by `child`. Nothing for an unrecorded trace."""
        if self._sink is None or not is_sampled(traceparent):
            return
        cut: dict[AttributeName, Attribute] = {
            key: value[:_MAX_TEXT] if isinstance(value, str) else value for key, value in attributes.items()
        }
        self._sink.take(Span(self._service, name, traceparent, parent, began_ns, ended_ns, failed, cut))

    def _span(self) -> str:
        return f"{self._random.getrandbits(64) or 1:016x}"


class Open:
    """A piece of work under way, see `Tracer.span`."""

    __slots__ = ("_began_ns", "_name", "_parent", "_token", "_tracer", "attributes", "failed", "traceparent")

    def __init__(
        self,
        tracer: Tracer,
        name: SpanName,
        traceparent: str,
        parent: str,
        attributes: dict[AttributeName, Attribute],
    ) -> None:
        self._tracer = tracer
        self._name: SpanName = name
        self._parent = parent
        self._began_ns = 0
        self.traceparent = traceparent
        self.attributes = attributes
        self.failed = False

    def __enter__(self) -> Self:
        self._token = _current.set(self.traceparent)
        if self.traceparent != self._parent:
            self._began_ns = self._tracer.now_ns()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _current.reset(self._token)
        if self._began_ns:
            self._tracer.record(
                self._name,
                self.traceparent,
                self._parent,
                self._began_ns,
                self._tracer.now_ns(),
                self.attributes,
                failed=self.failed or error is not None,
            )
