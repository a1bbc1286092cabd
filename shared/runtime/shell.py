"""What every service runs in: its inbox, its workers, its relay, its probes. A service's `app.py` fills a
`Service`; `Running` starts and stops it the same way everywhere."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify

from shared.blobs.port import Blobs
from shared.bus.dispatch import Dispatcher, Handlers
from shared.bus.port import Bus
from shared.bus.workers import DUE, Workers
from shared.clock import Clock
from shared.errors import ProjectError
from shared.ids import Ids
from shared.runtime.relay import Relay
from shared.runtime.settings import Settings
from shared.store.marks import OLD_MARKS
from shared.store.port import Query, Reader, Store, Watch
from shared.telemetry.watching import Watching
from shared.vault.keyring import Keys

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kit:
    """Everything the runtime hands a service.

    readers: the databases this service may read (READS), by service name. watch(service, collections)
    wakes on changes in one of them or in its own. keys: those this service may use (KEYS). data_dir: this
    machine's folder for sockets and caches.
    """

    name: str
    settings: Settings
    clock: Clock
    ids: Ids
    store: Store
    readers: Mapping[str, Reader]
    watch: Callable[[str, Sequence[str]], Watch]
    blobs: Blobs
    bus: Bus
    keys: Keys
    data_dir: Path
    project_dir: Path
    shared_process: bool = True
    watching: Watching = field(default_factory=Watching)


@dataclass(frozen=True)
class Service:
    """A wired service. web: its HTTP app, if people or runs may call it; below: the path it answers at, "" for all
    that nobody else answers. start/stop: its own threads or
    processes, begun before the first event and ended after the last. queries: every query shape it uses."""

    name: str
    handlers: Handlers
    deps: Any
    web: Flask | None = None
    queries: tuple[Query, ...] = ()
    start: Callable[[], None] = lambda: None
    stop: Callable[[], None] = lambda: None
    worker_threads: int = 3
    below: str = ""
    facts: Callable[[], dict[str, object]] = field(default=dict)


class Running:
    """One service at work."""

    def __init__(self, service: Service, kit: Kit) -> None:
        self.service = service
        self._kit = kit
        index = getattr(kit.store, "index", None)
        if index is not None:
            index((*service.queries, DUE, OLD_MARKS))
        self._relay = Relay(service.name, kit.store, kit.bus, kit.clock)
        self._workers = Workers(
            service.name,
            service.handlers,
            kit.store,
            service.deps,
            kit.clock,
            threads=service.worker_threads,
            alone=not kit.settings.pushed,
            watching=kit.watching,
        )
        self.dispatcher = Dispatcher(
            service.name, service.handlers, kit.store, service.deps, kit.clock, self._workers, kit.watching
        )
        kit.bus.subscribe(
            service.name,
            self.dispatcher.topics(),
            self.dispatcher.receive,
            awaits=self.dispatcher.awaits,
        )

    def start(self) -> None:
        self.service.start()
        self._relay.start()
        self._workers.start()

    def leave(self) -> None:
        """Returns at once; as Workers.leave."""
        self._workers.leave()

    def stop(self) -> None:
        self._workers.stop()
        self._relay.stop()
        self.service.stop()


def problem(error: ProjectError, *, type_prefix: str = "/problems/") -> Response:
    """An RFC 9457 document. `detail` says what to do; `fields` names what was wrong, field by field."""
    body: dict[str, object] = {
        "type": type_prefix + error.code,
        "title": error.code.replace("_", " "),
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
    }
    if error.fields:
        body["fields"] = error.fields
    response = jsonify(body)
    response.status_code = error.status
    response.content_type = "application/problem+json"
    if error.retryable:
        response.headers["Retry-After"] = "2"
    return response
