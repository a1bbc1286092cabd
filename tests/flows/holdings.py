"""All that the services of a house keep: what a test compares before and after, and looks through for a value."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from shared.bus.dispatch import CLAIMS
from shared.store.marks import INBOX

SERVICES = ("gateway", "planner", "executor", "scheduler", "ledger")
OUTBOX = "_outbox"


class Holdings(Protocol):
    def documents(self) -> dict[str, str]:
        """Every document of every service, by place; marks and facts of the bus left out."""

    def busy(self) -> bool:
        """Something is under way: a job, a fact not sent, or sent and not yet heard by everybody; ticks aside."""

    def blobs(self) -> set[str]:
        """Their names."""

    def everything(self) -> bytes:
        """Every byte of documents, files and blobs, those of the bus among them."""


class FolderHoldings:
    """On one machine everything lies in the data folder. Facts wait in the outbox until they are heard."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def documents(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for service in SERVICES:
            rows = self._rows(
                service, "SELECT coll, id, body FROM docs WHERE coll NOT IN (?, ?)", INBOX, OUTBOX
            )
            found |= {f"{service}/{collection}/{id}": body for collection, id, body in rows}
        return found

    def busy(self) -> bool:
        left = "SELECT 1 FROM docs WHERE coll IN (?, ?) LIMIT 1"
        return any(self._rows(service, left, CLAIMS, OUTBOX) for service in SERVICES)

    def blobs(self) -> set[str]:
        return {str(path) for path in (self._folder / "blobs").rglob("*") if path.is_file()}

    def everything(self) -> bytes:
        return files_in(self._folder)

    def _rows(self, service: str, query: str, *names: str) -> list[tuple[Any, ...]]:
        place = f"file:{self._folder}/{service}.db?mode=ro"
        with closing(sqlite3.connect(place, uri=True, timeout=10)) as file:
            return file.execute(query, names).fetchall()


def files_in(folder: Path) -> bytes:
    return b"".join(
        path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.is_symlink()
    )
