"""Reading a database of documents on SQLite: connections, queries as SQL, and whether anything has changed."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from shared.errors import Misconfigured
from shared.store.port import Document, Query, Where
from shared.store.recent import Recent

_OPERATORS = {"==": "IS", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection any thread may use under its owner's lock. Raises Misconfigured when it does not open."""
    mode = "ro" if read_only else "rwc"
    try:
        connection = sqlite3.connect(
            f"file:{path}?mode={mode}", uri=True, timeout=10, isolation_level=None, check_same_thread=False
        )
        if not read_only:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("PRAGMA secure_delete=ON")  # keys and secrets are deleted to be gone
    except sqlite3.OperationalError as error:
        raise Misconfigured(
            f"The data file {path} cannot be opened ({error}).", code="data_unwritable"
        ) from error
    connection.execute("PRAGMA cache_size=-2000")
    return connection


class SqliteReader:
    """Reads one service's database on borrowed connections; a file not made reads as empty.

    As many connections as reads at one moment, the last used first. One per thread would be three descriptors
    for each of five files in each of the server's 64 threads, which is all a process usually gets.
    """

    def __init__(self, path: Path, recent: Recent | None = None) -> None:
        self._path = path
        self._recent = recent
        self._idle: list[sqlite3.Connection] = []
        self._closed = False

    @contextmanager
    def _borrowed(self) -> Iterator[sqlite3.Connection | None]:
        connection = None
        with suppress(IndexError):
            connection = self._idle.pop()
        if connection is None and self._path.exists():
            connection = connect(self._path, read_only=True)
        try:
            yield connection
        finally:
            if connection is not None:
                self._idle.append(connection)
            if self._closed:
                self.close()

    def get(self, collection: str, id: str) -> Document | None:
        if self._recent is None:
            row = self._row(collection, id)
        else:
            remembered = self._recent.find(collection, id)
            if remembered is not None:
                return remembered[0]
            commits = self._recent.commits
            row = self._row(collection, id)
            version, text = row or ("", None)
            self._recent.read((collection, id), version, text, commits)
        return Document(id, json.loads(row[1]), row[0]) if row else None

    def _row(self, collection: str, id: str) -> tuple[str, str] | None:
        with self._borrowed() as connection:
            return find(connection, collection, id) if connection else None

    def query(self, query: Query) -> list[Document]:
        with self._borrowed() as connection:
            return query_all(connection, query) if connection else []

    def close(self) -> None:
        """A read under way closes what it borrowed when it is done."""
        self._closed = True
        with suppress(IndexError):
            while True:
                self._idle.pop().close()


class DataVersion:
    """A number that changes whenever somebody has committed; 0 while there is no file.

    It means something only within one connection (sqlite.org/pragma.html#pragma_data_version), so all
    threads that poll it share that connection.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._closed = False

    def read(self) -> int:
        with self._lock:
            if self._connection is None:
                if self._closed or not self._path.exists():
                    return 0
                self._connection = connect(self._path, read_only=True)
            row = self._connection.execute("PRAGMA data_version").fetchone()
        return int(row[0])

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def find(connection: sqlite3.Connection, collection: str, id: str) -> tuple[str, str] | None:
    """Version and body."""
    row = connection.execute(
        "SELECT version, body FROM docs WHERE coll=? AND id=?", (collection, id)
    ).fetchone()
    return (str(row[0]), row[1]) if row else None


def _column(field: str) -> str:
    return f"json_extract(body, '$.{field}')"


def _without_in(query: Query) -> list[Query]:
    """The same documents as queries of equalities; none for an empty `in`. Null is in no list."""
    for at, where in enumerate(query.where):
        if where.op == "in":
            values = [value for value in dict.fromkeys(where.value) if value is not None]
            equal = [(*query.where[:at], Where(where.field, "==", v), *query.where[at + 1 :]) for v in values]
            return [one for where in equal for one in _without_in(replace(query, where=where))]
    return [query]


def _conditions(query: Query, orders: Sequence[str]) -> tuple[str, list[Any]]:
    # Written out, since SQLite takes a partial index only where it sees its condition. Never a person's text.
    conditions, values = [f"coll = '{query.collection}'"], list[Any]()
    for where in query.where:
        if where.value is None:
            # a field that is not there is not null
            conditions.append(f"json_type(body, '$.{where.field}') = 'null'")
        else:
            conditions.append(f"{_column(where.field)} {_OPERATORS[where.op]} ?")
            values.append(where.value)
    if query.order_by:
        conditions.append(f"{_column(query.order_by)} IS NOT NULL")
    if query.after:
        conditions.append(
            f"({', '.join(orders)}) {'<' if query.descending else '>'} ({', '.join('?' * len(orders))})"
        )
        values += query.after[-len(orders) :]
    return " AND ".join(conditions), values


def query_all(connection: sqlite3.Connection, query: Query) -> list[Document]:
    """A query with `in` is asked once for each of its values, in one statement: SQLite would otherwise rather go
    through everything in the wanted order, and parse each document, than sort what the values find."""
    orders = [_column(query.order_by), "id"] if query.order_by else ["id"]
    direction = "DESC" if query.descending else "ASC"
    shown = ", ".join(["id", "version", "body", *(f"{column} AS by_{n}" for n, column in enumerate(orders))])
    parts, values = list[str](), list[Any]()
    for one in _without_in(query):
        found, more = _conditions(one, orders)
        order = ", ".join(f"{column} {direction}" for column in orders)
        parts.append(f"SELECT * FROM (SELECT {shown} FROM docs WHERE {found} ORDER BY {order} LIMIT ?)")  # noqa: S608 - marks, and names that stand in our code
        values += [*more, query.limit]
    if not parts:
        return []
    sql = " UNION ALL ".join(parts)
    if len(parts) > 1:
        sql += f" ORDER BY {', '.join(f'by_{n} {direction}' for n in range(len(orders)))} LIMIT ?"
        values.append(query.limit)
    rows = connection.execute(sql, values).fetchall()
    return [Document(row[0], json.loads(row[2]), str(row[1])) for row in rows]
