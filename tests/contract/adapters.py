"""The adapters every contract suite runs on, each as a way to open it anew on the same data.

`EMBEDDED` and `GOOGLE` are the two values of the suites' parameter; Google's clients find the emulators
through their usual variables, which the fixtures set for the session.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from shared.blobs.port import Blobs
from shared.bus.port import Bus
from shared.clock import Clock, SystemClock
from shared.ids import RandomIds
from shared.store.port import Cause, Databases

EMBEDDED = "embedded"
GOOGLE = "google"

CAUSE = Cause("ws_1", "user:u1", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
SERVICES = ("gateway", "ledger")
TOPICS = ("clock", "run", "usage")  # nobody in these suites subscribes to usage
RETRY_S = 0.1


@dataclass(frozen=True)
class StoreKind:
    """open(clock) gives another object on the same data; place names the data for another process."""

    name: str
    open: Callable[[Clock], Databases]
    place: str

    def command(self, *arguments: str) -> list[str]:
        """Runs tests/contract/committer.py on this data."""
        return [sys.executable, "-m", "tests.contract.committer", self.name, self.place, *arguments]


@dataclass(frozen=True)
class BusKind:
    name: str
    open: Callable[[Clock], Bus]


@dataclass(frozen=True)
class BlobsKind:
    name: str
    open: Callable[[], Blobs]


def databases(name: str, place: str, clock: Clock | None = None) -> Databases:
    """`place`: a folder, or a project of the emulator."""
    clock = clock or SystemClock()
    if name == EMBEDDED:
        from shared.store.sqlite import SqliteDatabases

        return SqliteDatabases(Path(place), clock, RandomIds())
    from shared.store.firestore import FirestoreDatabases

    return FirestoreDatabases(place, clock, RandomIds())


def bus(name: str, place: str, folder: Path, clock: Clock) -> Bus:
    """Dead letters of the Google bus lie in a local database: the store has its own suite."""
    if name == EMBEDDED:
        from shared.bus.sqlite import SqliteBus

        return SqliteBus(folder / "bus.db", clock, RandomIds(), other_processes=True)
    from shared.bus.letters import StoredLetters
    from shared.bus.pubsub import PubSubBus

    letters = StoredLetters(databases(EMBEDDED, str(folder), clock), SERVICES, clock)
    return PubSubBus(place, clock, letters)


def blobs(name: str, place: str) -> Blobs:
    """`place`: a folder, or a bucket of the emulator."""
    if name == EMBEDDED:
        from shared.blobs.files import FileBlobs

        return FileBlobs(Path(place), RandomIds())
    from google.auth.credentials import AnonymousCredentials, Credentials

    from shared.blobs.gcs import GcsBlobs

    anonymous: Callable[[], Credentials] = AnonymousCredentials
    bucket = GcsBlobs("test", place, credentials=anonymous())
    bucket.make_bucket()
    return bucket
