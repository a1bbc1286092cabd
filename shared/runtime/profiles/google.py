"""The gcp profile: Firestore, Pub/Sub and Cloud Storage, or their emulators when all three are named.

Loaded only when chosen: Google's libraries take a second and 60 MB to import.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from google.auth.credentials import AnonymousCredentials, Credentials

from shared.blobs.gcs import GcsBlobs
from shared.bus.letters import StoredLetters
from shared.bus.pubsub import PubSubBus, provision
from shared.clock import Clock, SystemClock
from shared.errors import Misconfigured
from shared.events import catalog
from shared.events.routing import subscriptions
from shared.ids import Ids, RandomIds
from shared.runtime.profiles.engines import READS, Engines, prepared
from shared.runtime.settings import Settings
from shared.store.firestore import FirestoreDatabases


def engines(
    settings: Settings,
    services: Iterable[str],
    *,
    project_dir: Path,
    clock: Clock | None = None,
    ids: Ids | None = None,
) -> Engines:
    """On emulators whatever is missing is made, and events are pulled; in the cloud terraform has made it
    and they are pushed. Raises Misconfigured without a project."""
    if not settings.gcp_project:
        raise Misconfigured("AB_PROFILE=gcp needs AB_GCP_PROJECT, the id of the Google Cloud project.")
    clock, ids = clock or SystemClock(), ids or RandomIds()
    project = settings.gcp_project
    databases = FirestoreDatabases(project, clock, ids)
    letters = StoredLetters(databases, sorted(READS), clock)
    anonymous: Callable[[], Credentials] = AnonymousCredentials
    blobs = GcsBlobs(project, bucket(project), credentials=anonymous() if settings.emulated else None)
    if settings.emulated:
        provision(project, catalog.topics(), subscriptions(), retry_s=0.1)
        blobs.make_bucket()
    bus = PubSubBus(project, clock, letters, pull=settings.emulated)

    def close() -> None:
        databases.close()
        blobs.close()

    data_dir = prepared(settings.data_dir)
    return Engines(settings, databases, bus, blobs, clock, ids, data_dir, project_dir, close=close)


def bucket(project: str) -> str:
    """As terraform names it."""
    return f"{project}-agentbuilder"
