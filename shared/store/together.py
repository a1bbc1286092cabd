"""Writes of several transactions that become one commit: all of them, or none and each runs again."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

Key = tuple[str, str]


class Raced(Exception):
    """Nothing of the commit was done; run the function again. alone: and commit it by itself, for one of those in the
    commit may never succeed."""

    def __init__(self, *, alone: bool = False) -> None:
        super().__init__("lost a race")
        self.alone = alone


@dataclass(frozen=True)
class Write:
    """kind: put | create | delete. fields: as the engine has them. seen: what the first to write it had read of it, as
    the engine knows it; None: nothing."""

    kind: str
    fields: dict[str, Any]
    seen: Any


class Together:
    """born: on the monotonic clock. `writes` hold one for each document: the last of its writers, on the condition of
    the first. `open` is guarded by the Lanes; `done` is set when it has been committed or `error` says why not."""

    def __init__(
        self, born: float, writes: Mapping[Key, Write], created: Mapping[Key, dict[str, Any]]
    ) -> None:
        self.born = born
        self.writes = dict(writes)
        self.created = dict(created)
        self.members = 1
        self.open = True
        self.done = threading.Event()
        self.error: Exception | None = None

    def takes(self, other: Together, read: Collection[Key]) -> bool:
        """Whether `other` may follow in the same commit. read: what it read in the store, not in here: if that has
        been written in here, it was read too early. A document may be put twice; created or deleted only once."""
        if any(key in self.writes for key in read):
            return False
        both = self.writes.keys() & other.writes.keys()
        return all(other.writes[key].kind == "put" and self.writes[key].kind != "delete" for key in both)

    def add(self, other: Together) -> None:
        for key, write in other.writes.items():
            first = self.writes.get(key)
            self.writes[key] = Write(first.kind, write.fields, first.seen) if first else write
        self.created |= other.created
        self.members += other.members
