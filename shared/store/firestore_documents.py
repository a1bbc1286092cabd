"""How documents and queries look in Firestore, and what its errors mean here.

Scalars are native fields, so that queries and the console see them. A list or a mapping is JSON text inside
a map `{"json": …}`: Firestore has no list of lists, allows 20 levels and would index every leaf.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.errors import Unavailable
from shared.store.firestore_shards import SHARD, SHARDS, shard_of, spread
from shared.store.port import Document, Query, body_text

READ_S = 15.0  # decision: a read that takes longer is treated as no answer
Snapshot: TypeAlias = "firestore.DocumentSnapshot[Any]"
_NAME = "__name__"
_FORMAT = "_format"  # in every document
_OURS = frozenset({_FORMAT, SHARD})
_INT64 = 1 << 63


def encode(id: str, data: dict[str, Any]) -> dict[str, Any]:
    """Raises as body_text."""
    body_text(data)
    ours = {_FORMAT: 1, SHARD: shard_of(id)}
    return ours | {name: _encode_value(value) for name, value in data.items()}


def _encode_value(value: Any) -> Any:
    if value is None or isinstance(value, (bool, float, str)):
        return value
    if isinstance(value, int) and -_INT64 <= value < _INT64:
        return value
    return {"json": json.dumps(value, ensure_ascii=False, separators=(",", ":"))}


def decode(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        name: json.loads(value["json"]) if isinstance(value, dict) else value
        for name, value in fields.items()
        if name not in _OURS
    }


def place(client: firestore.Client, collection: str, id: str) -> firestore.DocumentReference:
    """Ids may hold what a Firestore path may not: `/`, and names of dots or double underscores."""
    name = id.replace("%", "%25").replace("/", "%2F")
    if not name.strip(".") or name.startswith("__"):
        name = "%" + name
    return client.collection(collection).document(name)


def _id(name: str) -> str:
    if name.startswith("%") and not name.startswith(("%25", "%2F")):
        name = name[1:]
    return name.replace("%2F", "/").replace("%25", "%")


def document(snapshot: Snapshot) -> Document:
    return Document(_id(snapshot.id), decode(snapshot.to_dict() or {}), snapshot.update_time.rfc3339())


_NO_ANSWER = (
    exceptions.ServerError,
    exceptions.TooManyRequests,
    exceptions.RetryError,
    exceptions.Cancelled,  # not by us: a server that goes away cancels what it had been asked
)


@contextmanager
def answering() -> Iterator[None]:
    """Raises Unavailable when Firestore gave no answer; the rest passes."""
    try:
        yield
    except _NO_ANSWER as error:
        raise Unavailable(f"The store did not answer: {error}") from error


class FirestoreReader:
    """Reads one service's database. Thread-safe."""

    def __init__(self, client: firestore.Client) -> None:
        self.client = client

    def get(self, collection: str, id: str) -> Document | None:
        snapshot = self.snapshot(collection, id)
        return document(snapshot) if snapshot.exists else None

    def snapshot(self, collection: str, id: str) -> Snapshot:
        with answering():
            return place(self.client, collection, id).get(timeout=READ_S)

    def query(self, query: Query) -> list[Document]:
        if any(w.op == "in" and not w.value for w in query.where):
            return []
        with answering():
            return [document(found) for found in self._select(query).stream(timeout=READ_S)]

    def _select(self, query: Query) -> Any:
        select: Any = self.client.collection(query.collection)
        for where in query.where:
            value = list(where.value) if where.op == "in" else where.value
            select = select.where(filter=FieldFilter(where.field, where.op, value))
        if spread(query):
            select = select.where(filter=FieldFilter(SHARD, "in", list(SHARDS)))
        direction = firestore.Query.DESCENDING if query.descending else firestore.Query.ASCENDING
        cursor = []
        if query.order_by:
            if all(where.field != query.order_by for where in query.where):
                # Firestore would return documents where the field is there and null, first.
                select = select.where(filter=FieldFilter(query.order_by, "!=", None))
            select = select.order_by(query.order_by, direction=direction)
            cursor = [query.after[0]] if query.after else []
        select = select.order_by(_NAME, direction=direction)
        if query.after:
            select = select.start_after([*cursor, place(self.client, query.collection, query.after[1])])
        return select.limit(query.limit)
