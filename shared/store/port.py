"""Documents in collections, one database per service, optimistic commits.

Read next: `sqlite.py` and `firestore.py`, which keep these promises, and tests/contract/test_store.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

from pydantic_core import to_json

from shared.errors import TooLarge
from shared.events.envelope import Envelope, Event
from shared.telemetry.trace import current

T = TypeVar("T")
Op = Literal["==", "<", "<=", ">", ">=", "in"]

MAX_IN = 30  # source: cloud.google.com/firestore/docs/query-data/queries#limits_on_or_queries
MAX_DOCUMENT_BYTES = 1_000_000  # as JSON; Firestore takes 1 MiB with names and indexes counted


@dataclass(frozen=True)
class Document:
    """`version` is opaque: equal means unchanged."""

    id: str
    data: dict[str, Any]
    version: str


@dataclass(frozen=True)
class Where:
    """One condition on a top-level field. With `in`, value is a list of at most 30 values."""

    field: str
    op: Op
    value: Any

    def __post_init__(self) -> None:
        if self.op == "in" and len(self.value) > MAX_IN:
            raise ValueError(f"{self.field}: `in` takes at most {MAX_IN} values")


@dataclass(frozen=True)
class Query:
    """Documents of one collection that meet all conditions, ordered by one field then id (both descending
    when `descending`, which needs order_by). A range condition (<, <=, >, >=) is always on the order field.

    after: (value of the order field, id) of the last document of the previous page. A document without
    the order field, or with null there, is not found. Every query shape a service uses stands in its
    repository's QUERIES. Raises ValueError for shapes that Firestore would refuse.
    """

    collection: str
    where: tuple[Where, ...] = ()
    order_by: str | None = None
    descending: bool = False
    limit: int = 100
    after: tuple[Any, str] | None = None

    def __post_init__(self) -> None:
        ranged = {where.field for where in self.where if where.op not in ("==", "in")}
        if ranged - {self.order_by}:
            raise ValueError(f"{self.collection}: a range condition needs order_by on {sorted(ranged)}")
        if self.descending and not self.order_by:
            raise ValueError(f"{self.collection}: descending needs an order_by")


def body_text(data: dict[str, Any]) -> str:
    """A document as JSON, for adapters. Raises TooLarge, and ValueError for what has no JSON form at all."""
    text = to_json(data)
    if len(text) > MAX_DOCUMENT_BYTES:
        raise TooLarge(f"This document is too large to store ({MAX_DOCUMENT_BYTES} bytes at most).")
    return text.decode()


class Reader(Protocol):
    def get(self, collection: str, id: str) -> Document | None: ...

    def query(self, query: Query) -> list[Document]: ...


@dataclass(frozen=True)
class Cause:
    """Who and what a commit is for; stamped on every event it emits. traceparent: by itself that of what the thread
    is doing."""

    workspace_id: str
    actor: str
    traceparent: str = field(default_factory=current)


class Tx(Protocol):
    """One commit in the making. Reads see the last committed state, not this commit's own writes.

    At commit, a document that was read with `get` through this tx and is put or deleted must still have
    the version that was read, a created one must not exist; otherwise the function runs again.
    Documents only read, and query results, are not checked: put the condition on a document you write.
    """

    def get(self, collection: str, id: str) -> Document | None: ...

    def query(self, query: Query) -> list[Document]: ...

    def put(self, collection: str, id: str, data: dict[str, Any]) -> None: ...

    def create(self, collection: str, id: str, data: dict[str, Any]) -> None: ...

    def delete(self, collection: str, id: str) -> None: ...

    def emit(self, event: Event, *, cause: Cause | None = None) -> str:
        """Queue an event in the outbox of this commit; returns its id. `cause` defaults to the commit's."""

    @property
    def cause(self) -> Cause: ...

    @property
    def empty(self) -> bool:
        """Nothing has been written or emitted so far."""


class Watch(Protocol):
    def wait(self, timeout_s: float) -> bool:
        """True when something in the watched collections may have changed since the last call; spurious
        wake-ups are allowed, lost ones are not."""

    def wake(self) -> None:
        """Makes a wait under way, or the next one, return."""

    def close(self) -> None: ...


class Store(Reader, Protocol):
    """One service's database. Thread-safe."""

    def transact(self, function: Callable[[Tx], T], *, cause: Cause) -> T:
        """Run `function` and commit what it wrote, all or nothing; on a lost race run it again (bounded,
        jittered), so it must not have other effects. Returns its result. Raises Conflict when `create`
        met an existing document on every try or the race was lost too often; errors of `function` pass."""

    def watch(self, collections: Sequence[str], *, elsewhere: bool = False) -> Watch:
        """`runs` is a collection, `runs/run_1` its documents whose id begins so (other changes there may wake
        it, too). A page that watches one run need not look up for everybody's. elsewhere: what other processes write
        to this database wakes it, too, within 100 ms where the engine has to be asked."""

    def on_emitted(self, carry: Callable[[Sequence[Envelope]], bool]) -> None:
        """From now on every commit gives its events to `carry`, in its own thread and once they are safe in
        the outbox. False from it wakes who watches `_outbox`, as every such commit does without it."""

    def outbox(self, limit: int) -> list[Envelope]:
        """Events committed and not yet marked sent, oldest first."""

    def mark_sent(self, event_ids: Sequence[str]) -> None: ...

    def forget_marks(self) -> None:
        """Some marks of the inbox that are older than KEEP_MARKS go, as many as one commit takes; none where the engine
        lets them go by itself. To be called now and then; see marks.py."""

    def scrub(self) -> None:
        """What was deleted before is no longer in the database's own files, as far as the engine can say so.
        Slow; for keys and the like."""

    def close(self) -> None: ...


class Databases(Protocol):
    """Opens databases. `own` once per service; `read` gives another service's, read-only."""

    def own(self, service: str) -> Store: ...

    def read(self, service: str) -> Reader: ...

    def watch(self, service: str, collections: Sequence[str]) -> Watch:
        """Watch a database that is only read."""
