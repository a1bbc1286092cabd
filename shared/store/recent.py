"""The documents of one database that were last written, read or missed here, kept as text: most reads of a service
are of what it has just written, and every statement hands the interpreter to another thread."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping

from shared.store.port import Document

Key = tuple[str, str]  # collection, id
_MOST_CHARACTERS = 2_000_000
_LARGEST = 100_000
_ENTRY = 200  # what remembering anything costs, in characters


class Recent:
    """Right only where every write to the database passes through `wrote`. Oldest out first. Thread-safe."""

    def __init__(self) -> None:
        self._texts: dict[Key, tuple[str, str | None]] = {}
        self._characters = 0
        self._lock = threading.Lock()
        self.commits = 0  # noted before reading the database, so that an overtaken read teaches nothing

    def find(self, collection: str, id: str) -> tuple[Document | None] | None:
        """None says only that it is not known here; (None,) that there is none. Parsed each time: whoever gets it
        may change it."""
        found = self._texts.get((collection, id))
        if found is None:
            return None
        version, text = found
        return (Document(id, json.loads(text), version) if text is not None else None,)

    def wrote(self, changes: Mapping[Key, str | None], version: str) -> None:
        """After every commit, before anybody is told of it. None: deleted."""
        with self._lock:
            self.commits += 1
            for key, text in changes.items():
                self._forget(key)
                self._keep(key, version, text)

    def read(self, key: Key, version: str, text: str | None, commits: int) -> None:
        """text: None where there was none. commits: as it was before the database was asked."""
        with self._lock:
            if commits == self.commits and key not in self._texts:
                self._keep(key, version, text)

    def _keep(self, key: Key, version: str, text: str | None) -> None:
        if text is not None and len(text) > _LARGEST:
            return
        self._texts[key] = (version, text)
        self._characters += _cost(text)
        while self._characters > _MOST_CHARACTERS:
            self._forget(next(iter(self._texts)))

    def _forget(self, key: Key) -> None:
        before = self._texts.pop(key, None)
        if before is not None:
            self._characters -= _cost(before[1])


def _cost(text: str | None) -> int:
    return _ENTRY + len(text or "")
