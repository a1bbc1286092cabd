"""Turns a delivered event into one commit: all of it or none. The only place that decides ack, retry, dead.

Two handler forms (design, section 4): `Quick` writes in the delivering thread; `Slow` leaves a claim that
`workers.py` takes up.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from shared.bus.own import OwnTx, named_by
from shared.bus.port import Received
from shared.clock import Clock, moment, stamp
from shared.errors import Conflict, DecodeError, ProjectError
from shared.events.catalog import TYPES
from shared.events.clock import TimeTicked
from shared.events.envelope import Envelope, Event, payload
from shared.ids import derived
from shared.store.marks import INBOX
from shared.store.port import Cause, Store, Tx
from shared.telemetry.facts import count_fact
from shared.telemetry.trace import Attribute, AttributeName
from shared.telemetry.watching import Watching

CLAIMS = "_claims"
HELD = "held"  # ids of claims that a worker has from the start; nobody need look for one
LEASE = timedelta(seconds=60)
_FORGET_EVERY = timedelta(minutes=1)

T = TypeVar("T")
Claim = tuple[str, dict[str, Any]]

log = logging.getLogger(__name__)


class Job(BaseModel):
    """Base of a slow handler's durable job: everything `do` needs, as JSON."""

    model_config = ConfigDict(frozen=True, extra="ignore")


@dataclass(frozen=True)
class Failed:
    """`do` gave up: a non-retryable error, or a retryable one on the last try."""

    code: str
    detail: str


@dataclass(frozen=True)
class Cut:
    """The process died inside `do`; nobody knows how far it came. Only where on_cut is "unknown"."""


@dataclass(frozen=True)
class Quick:
    """`handle(event, tx, deps)` only reads and writes the store. `once=False` skips the inbox mark: for
    sweeps, which may run any number of times. kinds: only facts of runs of these kinds lead to anything, so
    that nobody is woken for the others; empty: all. above_zero: in the same way, only facts in which this number
    is above zero; "": all. having: only facts in which this field says something; "": all."""

    handle: Callable[..., None]
    once: bool = True
    kinds: frozenset[str] = frozenset()
    above_zero: str = ""
    having: str = ""

    def concerns(self, envelope: Envelope) -> bool:
        kind_matters = not self.kinds or envelope.data.get("kind") in self.kinds
        number_matters = not self.above_zero or envelope.data.get(self.above_zero, 0) > 0
        return kind_matters and number_matters and (not self.having or bool(envelope.data.get(self.having)))


@dataclass(frozen=True)
class Slow:
    """claim(event, tx, deps) -> Job | None · do(job, deps) -> outcome · record(job, outcome, tx, deps).

    Only `do` touches the outside; retryable errors repeat it with backoff, at most `tries` times. on_cut:
    what a death inside `do` means: "redo" it, or record it as `Cut` because it may have had its effect.
    """

    claim: Callable[..., Job | None]
    do: Callable[..., Any]
    record: Callable[..., None]
    job: type[Job]
    on_cut: Literal["redo", "unknown"] = "redo"
    tries: int = 6


Handlers = Mapping[type[Event], Quick | Slow]


class Hands(Protocol):
    """Workers of this process that take a claim as soon as it is committed."""

    def place(self) -> bool:
        """True: one of them is free and now waits for `hand` or `give_back`."""

    def hand(self, id: str, claim: dict[str, Any]) -> None: ...

    def give_back(self) -> None: ...

    def look(self) -> None:
        """A tick came: what is due is looked for now. A sleep in between may have been longer than it should."""


class Dispatcher:
    """workers: None leaves every claim for whoever looks."""

    def __init__(
        self,
        service: str,
        handlers: Handlers,
        store: Store,
        deps: Any,
        clock: Clock,
        workers: Hands | None = None,
        watching: Watching | None = None,
    ) -> None:
        self._service = service
        self._handlers = handlers
        self._store = store
        self._deps = deps
        self._clock = clock
        self._workers = workers
        self._watching = watching or Watching()
        self._forgot_at = clock.now()

    def topics(self) -> list[str]:
        return sorted({kind.topic() for kind in self._handlers})

    def awaits(self, envelope: Envelope) -> bool:
        """Whether it leads to anything here; most events of a topic are for other services."""
        kind = TYPES.get(envelope.type)
        handler = self._handlers.get(kind) if kind is not None else None
        return handler is not None and (isinstance(handler, Slow) or handler.concerns(envelope))

    def receive(self, envelope: Envelope) -> Received:
        """One event to its handler. Duplicates and events nobody here handles are acknowledged."""
        kind = TYPES.get(envelope.type)
        if kind is None:
            return Received("dead", f"unknown type {envelope.type}")
        if envelope.service not in kind.producers:
            return Received("dead", f"{envelope.source} may not emit {envelope.type}")
        handler = self._handlers.get(kind)
        if handler is None or not self.awaits(envelope):
            return Received("ack")
        meter, began, delay_s = self._watching.meter, self._clock.monotonic(), self._delay_s(envelope)
        about: dict[AttributeName, Attribute] = {"event": kind.fact, "waited_ms": round(delay_s * 1000)}
        with self._watching.tracer.span("handle", envelope.traceparent, about) as span:
            received = self._handled(envelope, kind, handler)
            about["verdict"] = received.verdict
            span.failed = received.verdict == "dead"
        meter.add("ab_events_total", self._service, received.verdict)
        meter.observe("ab_event_seconds", self._clock.monotonic() - began, self._service)
        meter.observe("ab_event_delay_seconds", delay_s, self._service)
        return received

    def _delay_s(self, envelope: Envelope) -> float:
        """Since the event was committed; 0 where it does not say when, or another machine's clock is ahead."""
        try:
            return max(0.0, (self._clock.now() - moment(envelope.time)).total_seconds())
        except ValueError:
            return 0.0

    def _handled(self, envelope: Envelope, kind: type[Event], handler: Quick | Slow) -> Received:
        try:
            event = payload(envelope, kind)
            if self._commit(envelope, event, handler):
                count_fact(self._service, event, self._watching.meter)
            if kind is TimeTicked:
                self.forget_old_marks()
                if self._workers is not None:
                    self._workers.look()
        except DecodeError as error:
            return Received("dead", error.detail)
        except Conflict as error:
            return Received("retry", error.detail)
        except ProjectError as error:
            return Received("retry" if error.retryable else "dead", f"{error.code}: {error.detail}")
        return Received("ack")

    def _commit(self, envelope: Envelope, event: Event, handler: Quick | Slow) -> bool:
        """False: the event was here before."""
        if isinstance(handler, Quick):
            return self._once(envelope, handler.once, lambda tx: handler.handle(event, tx, self._deps))[0]
        # What a death would make "unknown" lies ready until it is begun: before that nothing can have happened.
        workers = self._workers if handler.on_cut == "redo" else None
        placed = workers is not None and workers.place()
        taken: Claim | None = None
        try:
            new, taken = self._once(
                envelope, True, lambda tx: self._claim(envelope, event, handler, placed, tx)
            )
        finally:
            if workers is not None and placed and taken is None:
                workers.give_back()
        if workers is not None and taken is not None:
            workers.hand(*taken)
        return new

    def _claim(self, envelope: Envelope, event: Event, handler: Slow, placed: bool, tx: Tx) -> Claim | None:
        """The claim, when a worker of this process has it from the start."""
        job = handler.claim(event, tx, self._deps)
        if job is None:
            return None
        now = self._clock.now()
        if not placed:
            add_claim(tx, derived("claim", envelope.source, envelope.id), type(event), job, stamp(now))
            return None
        id = derived(HELD, envelope.source, envelope.id)
        taken = {"state": "taken", "due_at": stamp(now + LEASE), "attempt": 1}
        data = {**_ready(tx.cause, type(event), job, stamp(now)), **taken}
        tx.create(CLAIMS, id, data)
        return id, data

    def _once(self, envelope: Envelope, once: bool, act: Callable[[Tx], T]) -> tuple[bool, T | None]:
        """`act` and the event's mark in one commit: True and its result; False when the event was here before.

        Nearly every event is new, so nobody looks for its mark first: a mark that is there makes the commit
        fail, and `act` may have failed for being late. Only then is it looked for.
        """
        mark = derived("seen", envelope.source, envelope.id)
        named = named_by(envelope) if envelope.workspace_id else frozenset()  # a tick is everybody's
        tries = 0

        def work(tx: Tx) -> tuple[bool, T | None]:
            nonlocal tries
            tries += 1
            if once and tries > 1 and tx.get(INBOX, mark) is not None:
                return False, None
            result = act(OwnTx(tx, named) if named else tx)
            if once and not tx.empty:  # what changed nothing needs no mark, and no commit
                tx.create(INBOX, mark, {"at": stamp(self._clock.now())})
            return True, result

        try:
            return self._store.transact(work, cause=Cause(envelope.workspace_id, envelope.actor))
        except ProjectError:
            if once and self._store.get(INBOX, mark) is not None:
                return False, None
            raise

    def forget_old_marks(self) -> None:
        """Those no redelivery can need any more. Does nothing more than once a minute."""
        now = self._clock.now()
        if now - self._forgot_at < _FORGET_EVERY:
            return
        self._forgot_at = now
        self._store.forget_marks()


def add_claim(
    tx: Tx, claim_id: str, kind: type[Event], job: Job, now: str, *, cause: Cause | None = None
) -> None:
    """Put a job before the workers in this commit; the handler table's entry for `kind` will do it.

    due_at: when a worker may take it: at once when ready, at the end of the lease while taken. cause: whom the
    job is for, where that is not the commit's.
    """
    tx.create(CLAIMS, claim_id, _ready(cause or tx.cause, kind, job, now))


def _ready(cause: Cause, kind: type[Event], job: Job, now: str) -> dict[str, Any]:
    return {
        "type": kind.type(),
        "job": job.model_dump(mode="json"),
        "state": "ready",
        "due_at": now,
        "attempt": 0,
        "tries": 0,
        "cause": [cause.workspace_id, cause.actor, cause.traceparent],
    }
