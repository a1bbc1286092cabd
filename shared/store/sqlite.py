"""The store on SQLite: one file per service, WAL, optimistic commits checked inside BEGIN IMMEDIATE.

Durability is `synchronous=NORMAL`: a killed process loses nothing, a power cut may lose the last moments
(docs/decisions/0002-a-database-per-service.md).
"""

from __future__ import annotations

import random
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from shared.clock import Clock, stamp
from shared.errors import Conflict
from shared.events.envelope import Envelope, Event
from shared.ids import Ids
from shared.store.marks import INBOX, KEEP_MARKS, OLD_MARKS
from shared.store.port import Cause, Document, Query, T, Tx, Where, body_text
from shared.store.recent import Key, Recent
from shared.store.signal import Signal, SignalWatch
from shared.store.sqlite_reader import DataVersion, SqliteReader, connect, find

_TRIES = 30
_TURN_S = 0.2

# Rows, not an index with the documents in it: a commit's new ones then share a page, and a long one is not
# rewritten in pieces when it changes. What is to go to the bus is a document too, in the order of rowid.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS docs (
    coll TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL,
    UNIQUE (coll, id))
"""
_OUTBOX = "_outbox"

# All writes of a commit in one statement, which fails as a whole where one row is not what was read: its body
# becomes null then. Each statement hands the interpreter to another thread, and a commit mostly waits to get it back.
_PUT = """
INSERT INTO docs (coll, id, version, body)
SELECT column1, column2, column3,
    CASE WHEN column4 = {any} OR column4 = coalesce(
        (SELECT version FROM docs WHERE coll = column1 AND id = column2), {absent}) THEN column5 END
FROM (VALUES {rows}) WHERE true
ON CONFLICT DO UPDATE SET version = excluded.version, body = excluded.body
"""
_ABSENT, _ANY = -1, -2  # in the place of the version that must be there; real ones are not negative
_ROW = "(?, ?, ?, ?, ?)"
_MOST_ROWS = 150  # 999 values are what every SQLite takes (sqlite.org/limits.html)
_UNREAD = ""  # no version is empty


def _make_tables(connection: sqlite3.Connection) -> None:
    """Idempotent. A file of the first layout, in which the outbox was a table of its own, becomes one of this."""
    connection.execute("BEGIN IMMEDIATE")
    found = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'docs'").fetchone()
    first_layout = found is not None and "WITHOUT ROWID" in found[0]
    if first_layout:
        connection.execute("ALTER TABLE docs RENAME TO docs_before")
    connection.execute(_SCHEMA)
    if first_layout:
        connection.execute("INSERT INTO docs SELECT coll, id, version, body FROM docs_before")
        connection.execute(
            "INSERT INTO docs SELECT ?, id, 0, envelope FROM outbox ORDER BY outbox.n", (_OUTBOX,)
        )
        connection.execute("DROP TABLE docs_before")
        connection.execute("DROP TABLE outbox")
    connection.execute("COMMIT")


class _Raced(Exception):
    pass


class _SqliteTx:
    """Buffers writes; `SqliteStore` checks and applies them."""

    def __init__(self, store: SqliteStore, cause: Cause) -> None:
        self._store = store
        self._cause = cause
        self.read_versions: dict[tuple[str, str], str | None] = {}
        self.writes: dict[tuple[str, str], tuple[str, dict[str, Any] | None]] = {}
        self.events: list[Envelope] = []

    @property
    def cause(self) -> Cause:
        return self._cause

    @property
    def empty(self) -> bool:
        return not self.writes and not self.events

    def get(self, collection: str, id: str) -> Document | None:
        document = self._store.get(collection, id)
        self.read_versions.setdefault((collection, id), document.version if document else None)
        return document

    def query(self, query: Query) -> list[Document]:
        return self._store.query(query)

    def put(self, collection: str, id: str, data: dict[str, Any]) -> None:
        created = self.writes.get((collection, id), ("put", None))[0] == "create"
        self.writes[(collection, id)] = ("create" if created else "put", data)

    def create(self, collection: str, id: str, data: dict[str, Any]) -> None:
        self.writes[(collection, id)] = ("create", data)

    def delete(self, collection: str, id: str) -> None:
        self.writes[(collection, id)] = ("delete", None)

    def emit(self, event: Event, *, cause: Cause | None = None) -> str:
        envelope = self._store.envelope(event, cause or self._cause)
        self.events.append(envelope)
        return envelope.id


class SqliteStore:
    def __init__(
        self, service: str, path: Path, clock: Clock, ids: Ids, signal: Signal, recent: Recent | None = None
    ) -> None:
        self._service = service
        self._path = path
        self._clock = clock
        self._ids = ids
        self._signal = signal
        self._writer = connect(path)
        _make_tables(self._writer)
        self._lock = threading.Lock()
        self._turn = threading.RLock()
        self._recent = recent
        self._reader = SqliteReader(path, recent)
        self._random = random.Random()
        self._carry: Callable[[Sequence[Envelope]], bool] | None = None

    def envelope(self, event: Event, cause: Cause) -> Envelope:
        return Envelope(
            id=self._ids.new("evt"),
            source=f"/services/{self._service}",
            type=event.type(),
            subject=event.subject(),
            time=stamp(self._clock.now()),
            workspace_id=cause.workspace_id,
            actor=cause.actor,
            traceparent=cause.traceparent,
            data=event.model_dump(mode="json"),
        )

    def get(self, collection: str, id: str) -> Document | None:
        return self._reader.get(collection, id)

    def query(self, query: Query) -> list[Document]:
        return self._reader.query(query)

    def transact(self, function: Callable[[Tx], T], *, cause: Cause) -> T:
        # One after the other, so that threads of this process race for nothing: who loses does all its work
        # twice. Only for a while, since a function may wait for another thread's commit.
        in_turn = self._turn.acquire(timeout=_TURN_S)
        try:
            tx, result = self._committed(function, cause)
        finally:
            if in_turn:
                self._turn.release()
        if not tx.empty:
            self._tell(tx)
        return result

    def _committed(self, function: Callable[[Tx], T], cause: Cause) -> tuple[_SqliteTx, T]:
        for attempt in range(_TRIES):
            tx = _SqliteTx(self, cause)
            result = function(tx)
            try:
                self._commit(tx)
            except _Raced:
                if attempt > 2:
                    self._clock.wait(threading.Event(), self._random.uniform(0, 0.002 * attempt))
                continue
            return tx, result
        raise Conflict("Somebody else changed this at the same time; read it again and retry.")

    def _tell(self, tx: _SqliteTx) -> None:
        changed = {f"{collection}/{id}" for collection, id in tx.writes}
        if tx.events and not (self._carry and self._carry(tx.events)):
            changed.add(_OUTBOX)
        self._signal.notify(changed)

    def on_emitted(self, carry: Callable[[Sequence[Envelope]], bool]) -> None:
        self._carry = carry

    def _commit(self, tx: _SqliteTx) -> None:
        if tx.empty:
            return
        texts = {key: None if data is None else body_text(data) for key, (_, data) in tx.writes.items()}
        # The same for all of a commit, and never the same again: a document deleted and made anew repeats none.
        version = self._random.getrandbits(62)
        rows = [
            (*key, version, self._expected(tx, key, kind), texts[key])
            for key, (kind, _) in tx.writes.items()
            if kind != "delete"
        ]
        rows += [(_OUTBOX, event.id, version, _ABSENT, event.text()) for event in tx.events]
        gone = [key for key, (kind, _) in tx.writes.items() if kind == "delete"]
        several = bool(gone) or len(rows) > _MOST_ROWS
        with self._lock:
            if several:
                self._writer.execute("BEGIN IMMEDIATE")
            try:
                for at in range(0, len(rows), _MOST_ROWS):
                    self._put(rows[at : at + _MOST_ROWS])
                for key in gone:
                    self._delete(*key, tx.read_versions.get(key, _UNREAD))
                if several:
                    self._writer.execute("COMMIT")
            except BaseException:
                if several:
                    self._writer.execute("ROLLBACK")
                raise
            if self._recent is not None:
                self._recent.wrote(texts, str(version))

    def _expected(self, tx: _SqliteTx, key: Key, kind: str) -> int:
        if kind == "create":
            return _ABSENT
        read = tx.read_versions.get(key, _UNREAD)
        return _ABSENT if read is None else _ANY if read == _UNREAD else int(read)

    def _put(self, rows: Sequence[tuple[Any, ...]]) -> None:
        statement = _PUT.format(any=_ANY, absent=_ABSENT, rows=", ".join([_ROW] * len(rows)))
        try:
            self._writer.execute(statement, [value for row in rows for value in row])
        except sqlite3.IntegrityError as error:
            raise _Raced from error

    def _delete(self, collection: str, id: str, read: str | None) -> None:
        """What is not there is deleted already, unless it was read before."""
        if read is None:
            if find(self._writer, collection, id) is not None:
                raise _Raced
            return
        if read == _UNREAD:
            self._writer.execute("DELETE FROM docs WHERE coll=? AND id=?", (collection, id))
            return
        deleted = self._writer.execute(
            "DELETE FROM docs WHERE coll=? AND id=? AND version=?", (collection, id, read)
        )
        if deleted.rowcount != 1:
            raise _Raced

    def watch(self, collections: Sequence[str], *, elsewhere: bool = False) -> SignalWatch:
        return (
            _polling(self._path, self._clock, collections) if elsewhere else self._signal.watch(collections)
        )

    def outbox(self, limit: int) -> list[Envelope]:
        with self._lock:
            rows = self._writer.execute(
                "SELECT body FROM docs WHERE rowid IN "
                "(SELECT rowid FROM docs WHERE coll=? ORDER BY rowid LIMIT ?) ORDER BY rowid",
                (_OUTBOX, limit),
            ).fetchall()
        return [Envelope.from_text(row[0]) for row in rows]

    def mark_sent(self, event_ids: Sequence[str]) -> None:
        with self._lock:
            marks = ", ".join("?" * len(event_ids))
            self._writer.execute(
                f"DELETE FROM docs WHERE coll=? AND id IN ({marks})",  # noqa: S608 - marks only
                (_OUTBOX, *event_ids),
            )

    def index(self, queries: Sequence[Query]) -> None:
        """Make the indexes these query shapes need. Idempotent. Each holds one collection only: otherwise
        every write would go through all of them (with the executor's thirteen 0.20 ms a commit, not 0.09)."""
        with self._lock:
            for query in queries:
                fields = [where.field for where in query.where if where.op in ("==", "in")]
                fields += [query.order_by] if query.order_by else []
                columns = ", ".join(f"json_extract(body, '$.{field}')" for field in dict.fromkeys(fields))
                name = f"only_{query.collection}__{'__'.join(dict.fromkeys(fields))}"
                self._writer.execute(
                    f'CREATE INDEX IF NOT EXISTS "{name}" ON docs (coll, {columns}, id) '
                    f"WHERE coll = '{query.collection}'"
                )

    def forget_marks(self) -> None:
        before = stamp(self._clock.now() - KEEP_MARKS)
        old = self.query(replace(OLD_MARKS, where=(Where("at", "<", before),)))

        def forget(tx: Tx) -> None:
            for mark in old:
                tx.delete(INBOX, mark.id)

        if old:
            self.transact(forget, cause=Cause("", f"service:{self._service}"))

    def scrub(self) -> None:
        """The log is what still shows it: deleted bytes in the file itself are overwritten at once (connect)."""
        with self._lock:
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        self._signal.close()
        self._reader.close()
        with self._lock, closing(self._writer):
            pass


def _polling(path: Path, clock: Clock, collections: Sequence[str]) -> SignalWatch:
    """Sees the commits of every process, this one's among them."""
    version = DataVersion(path)
    return SignalWatch(clock, collections, poll=version.read, on_close=version.close)


class SqliteDatabases:
    """`root/<service>.db`. One instance per process; stores and signals are shared inside it, and a database
    that another process writes is watched by polling its data_version.

    alone: of all documents that are written while this is open nobody else changes any that exists, so what
    was written or read here is remembered.
    """

    def __init__(self, root: Path, clock: Clock, ids: Ids, *, alone: bool = False) -> None:
        self._root = root
        self._clock = clock
        self._ids = ids
        self._stores: dict[str, SqliteStore] = {}
        self._readers: dict[str, SqliteReader] = {}
        self._alone = alone
        self._recent: dict[str, Recent] = {}
        self._lock = threading.Lock()

    def own(self, service: str) -> SqliteStore:
        with self._lock:
            if service not in self._stores:
                signal = Signal(self._clock)
                self._stores[service] = SqliteStore(
                    service, self._path(service), self._clock, self._ids, signal, self._remembered(service)
                )
            return self._stores[service]

    def read(self, service: str) -> SqliteReader:
        with self._lock:
            if service not in self._readers:
                self._readers[service] = SqliteReader(self._path(service), self._remembered(service))
            return self._readers[service]

    def _remembered(self, service: str) -> Recent | None:
        return self._recent.setdefault(service, Recent()) if self._alone else None

    def watch(self, service: str, collections: Sequence[str]) -> SignalWatch:
        with self._lock:
            store = self._stores.get(service)
        if store is not None:
            return store.watch(collections)
        return _polling(self._path(service), self._clock, collections)

    def _path(self, service: str) -> Path:
        return self._root / f"{service}.db"

    def close(self) -> None:
        with self._lock:
            for store in self._stores.values():
                store.close()
            for reader in self._readers.values():
                reader.close()
            self._stores.clear()
            self._readers.clear()
