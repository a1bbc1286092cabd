"""A handler sees the documents an event names only if they are of the event's workspace.

Who may send a type of event may say any workspace in it; what lies under the ids it names says whose they are.
"""

from __future__ import annotations

from typing import Any

from shared.errors import NotAllowed
from shared.events.envelope import Envelope, Event
from shared.store.port import Cause, Document, Query, Tx


def named_by(envelope: Envelope) -> frozenset[str]:
    """Ids of the aggregates an event is about: its subject, and what its fields called `…_id` hold."""
    fields = (value for name, value in envelope.data.items() if name.endswith("_id"))
    return frozenset({envelope.subject, *(value for value in fields if isinstance(value, str))} - {""})


class OwnTx:
    """A Tx whose `get` raises NotAllowed for a named document of another workspace. What belongs to none (packages
    that all share), and what is only found by a query, is let through."""

    def __init__(self, tx: Tx, named: frozenset[str]) -> None:
        self._tx = tx
        self._named = named

    def get(self, collection: str, id: str) -> Document | None:
        found = self._tx.get(collection, id)
        if found is not None and id in self._named:
            owner = found.data.get("workspace_id") or self.cause.workspace_id
            if owner != self.cause.workspace_id:
                raise NotAllowed(f"{collection}/{id} is of another workspace than the event.")
        return found

    def query(self, query: Query) -> list[Document]:
        return self._tx.query(query)

    def put(self, collection: str, id: str, data: dict[str, Any]) -> None:
        self._tx.put(collection, id, data)

    def create(self, collection: str, id: str, data: dict[str, Any]) -> None:
        self._tx.create(collection, id, data)

    def delete(self, collection: str, id: str) -> None:
        self._tx.delete(collection, id)

    def emit(self, event: Event, *, cause: Cause | None = None) -> str:
        return self._tx.emit(event, cause=cause)

    @property
    def cause(self) -> Cause:
        return self._tx.cause

    @property
    def empty(self) -> bool:
        return self._tx.empty
