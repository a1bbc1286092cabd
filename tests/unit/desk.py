"""One service's handlers on a real store, without threads: events in, verdicts, documents and events out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from shared.bus.dispatch import Dispatcher, Handlers
from shared.bus.port import Received
from shared.bus.workers import Workers
from shared.clock import FakeClock, stamp
from shared.events.catalog import TYPES
from shared.events.envelope import Envelope, Event
from shared.ids import SeededIds
from shared.store.port import Cause, Query, Tx
from shared.store.sqlite import SqliteDatabases, SqliteStore

E = TypeVar("E", bound=Event)
WORKSPACE = "wsp_one"
PERSON = "user:usr_one"


class Desk:
    """`deps` is made from the desk, so that it can hold its clock, ids and store."""

    def __init__(
        self,
        folder: Path,
        service: str,
        handlers: Handlers,
        deps: Callable[[Desk], Any],
        clock: FakeClock | None = None,
    ) -> None:
        self.clock = clock or FakeClock()
        self.ids = SeededIds()
        self.databases = SqliteDatabases(folder, self.clock, self.ids)
        self.store: SqliteStore = self.databases.own(service)
        self.deps = deps(self)
        self.service = service
        self._handlers = handlers
        self.dispatcher = Dispatcher(service, handlers, self.store, self.deps, self.clock)
        self._workers = self.workers()
        self._taken: list[Envelope] = []

    def workers(self, *, threads: int = 0, alone: bool = False) -> Workers:
        return Workers(
            self.service,
            self._handlers,
            self.store,
            self.deps,
            self.clock,
            threads=threads,
            alone=alone,
        )

    def envelope(
        self, event: Event, *, id: str = "", source: str = "", workspace: str = WORKSPACE
    ) -> Envelope:
        return Envelope(
            id=id or self.ids.new("evt"),
            source=f"/services/{source or min(event.producers)}",
            type=event.type(),
            subject=event.subject(),
            time=stamp(self.clock.now()),
            workspace_id=workspace,
            actor=PERSON,
            traceparent="",
            data=event.model_dump(mode="json"),
        )

    def hears(self, event: Event, **more: str) -> Received:
        return self.dispatcher.receive(self.envelope(event, **more))

    def hears_again(self, envelope: Envelope) -> Received:
        return self.dispatcher.receive(envelope)

    def works(self) -> int:
        """Does everything that is due now; how many jobs it did."""
        done = 0
        while self._workers.run_due():
            done += 1
        return done

    def said(self, kind: type[E]) -> list[E]:
        """All events of a kind that were ever emitted, oldest first."""
        self.outgoing()
        return [kind.model_validate(e.data) for e in self._taken if TYPES[e.type] is kind]

    def outgoing(self) -> list[Envelope]:
        """What was emitted since the last look, as the relay would take it."""
        found = []
        while batch := self.store.outbox(100):
            self.store.mark_sent([envelope.id for envelope in batch])
            found += batch
        self._taken += found
        return found

    def documents(self, collection: str) -> dict[str, dict[str, Any]]:
        return {d.id: d.data for d in self.store.query(Query(collection, limit=1000))}

    def put(self, service: str, collection: str, id: str, data: dict[str, Any]) -> None:
        """A document of any service."""

        def write(tx: Tx) -> None:
            tx.put(collection, id, data)

        self.databases.own(service).transact(write, cause=Cause(WORKSPACE, PERSON))

    def close(self) -> None:
        self.databases.close()
