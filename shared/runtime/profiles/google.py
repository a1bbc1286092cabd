"""The gcp profile: Firestore, Pub/Sub and Cloud Storage, or their emulators when all three are named.

Loaded only when chosen: Google's libraries take a second and 60 MB to import.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import requests
from flask import Flask
from google.auth.credentials import AnonymousCredentials, Credentials

from shared.blobs.gcs import GcsBlobs
from shared.blobs.signing import own_account
from shared.bus.letters import StoredLetters
from shared.bus.oidc import Certificates, Pusher, verify
from shared.bus.pubsub import PubSubBus, provision
from shared.clock import Clock, SystemClock
from shared.errors import Misconfigured, Unavailable
from shared.events import catalog
from shared.events.routing import subscriptions
from shared.ids import Ids, RandomIds
from shared.runtime.profiles.engines import READS, Engines, prepared
from shared.runtime.profiles.outlook import chosen_outlook
from shared.runtime.pushes import inlet
from shared.runtime.settings import Settings
from shared.store.firestore import FirestoreDatabases
from shared.vault.keyfile import KEYFILE

# Source: accounts.google.com/.well-known/openid-configuration has the same keys as JWKs; here as certificates
_CERTIFICATES = "https://www.googleapis.com/oauth2/v1/certs"
_TIMEOUT_S = 10.0
SEALING = frozenset({"executor", "gateway", "planner"})


def engines(
    settings: Settings,
    services: Iterable[str],
    *,
    project_dir: Path,
    clock: Clock | None = None,
    ids: Ids | None = None,
    certificates: Callable[[], Mapping[str, str]] | None = None,
) -> Engines:
    """On emulators the bucket is made, and, where events are pulled, topics and subscriptions too; in the cloud
    terraform has made it all. certificates: as `Certificates` fetches them; None: from where the settings say.

    Raises Misconfigured without a project, and where secrets could not be opened again."""
    if not settings.gcp_project:
        raise Misconfigured("AB_PROFILE=gcp needs AB_GCP_PROJECT, the id of the Google Cloud project.")
    clock, ids = clock or SystemClock(), ids or RandomIds()
    project = settings.gcp_project
    databases = FirestoreDatabases(project, clock, ids)
    letters = StoredLetters(databases, sorted(READS), clock)
    anonymous: Callable[[], Credentials] = AnonymousCredentials
    blobs = GcsBlobs(
        project,
        bucket(project),
        credentials=anonymous() if settings.emulated else None,
        signing=None if settings.emulated else own_account(),
    )
    if settings.emulated:
        blobs.make_bucket()
    if not settings.pushed:
        provision(project, catalog.topics(), subscriptions(), retry_s=0.1)
    bus = PubSubBus(project, clock, letters, pull=not settings.pushed)

    outlook = chosen_outlook(settings, clock, ids)

    def close() -> None:
        databases.close()
        blobs.close()
        outlook.close()

    data_dir = prepared(settings.data_dir)
    if settings.pushed:
        _place_key(settings, services, data_dir)
    chosen = (settings, databases, bus, blobs, clock, ids, data_dir, project_dir, close)
    return Engines(
        *chosen,
        inlet=_inlet(settings, bus, clock, certificates or _fetching(settings)) if settings.pushed else None,
        outlook=outlook,
    )


def _inlet(settings: Settings, bus: PubSubBus, clock: Clock, fetch: Callable[[], Mapping[str, str]]) -> Flask:
    pusher = Pusher(settings.push_account, settings.push_audience)
    certificates = Certificates(fetch, clock)
    return inlet(bus.take, lambda header: verify(header, pusher, certificates, clock.now()))


def _fetching(settings: Settings) -> Callable[[], Mapping[str, str]]:
    address = settings.push_certificates or _CERTIFICATES

    def fetch() -> Mapping[str, str]:
        try:
            answer = requests.get(address, timeout=_TIMEOUT_S)
            answer.raise_for_status()
            found: dict[str, str] = answer.json()
        except (requests.RequestException, ValueError) as error:
            raise Unavailable("Google's keys could not be fetched.") from error
        return found

    return fetch


def _place_key(settings: Settings, services: Iterable[str], data_dir: Path) -> None:
    """An instance's disk is new each time: a key made there would open nothing after it. Raises Misconfigured
    where a service that seals or opens has none."""
    if settings.vault_key:
        descriptor = os.open(data_dir / KEYFILE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(settings.vault_key.strip() + "\n")
    elif SEALING & set(services):
        raise Misconfigured("AB_VAULT_KEY is not set: secrets could not be opened again. See docs/deploy.md.")


def bucket(project: str) -> str:
    """As terraform names it."""
    return f"{project}-agentbuilder"
