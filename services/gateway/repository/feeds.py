"""Numbered entries of a conversation or a run, read by id: no index, no gaps, any number of readers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from services.gateway.repository.scope import Readable
from shared.records import Record

R = TypeVar("R", bound=Record)


def entries_after(
    reader: Readable, collection: str, owner_id: str, kind: type[R], seq: int, newest: int | None = None
) -> Iterator[R]:
    """Every entry with a number above `seq`, in order, up to `newest` or until there is none yet. The owner's
    scope is checked by whoever asks."""
    while newest is None or seq < newest:
        seq += 1
        found = reader.get(collection, f"{owner_id}-{seq:08d}")
        if found is None:
            return
        yield kind.from_doc(found.data)
