"""The gcp profile: Firestore, Pub/Sub and Cloud Storage, or their emulators when all three are named.

Loaded only when chosen: Google's libraries take a second and 60 MB to import.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

import grpc
import requests
from flask import Flask
from google.auth.credentials import AnonymousCredentials, Credentials
from google.cloud.kms import KeyManagementServiceClient
from google.cloud.kms_v1.services.key_management_service.transports import KeyManagementServiceGrpcTransport

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
from shared.vault.keyfile import KEYFILE, load_keyring
from shared.vault.keyring import Keys
from shared.vault.kms import KmsKeys, key_ring

# Source: accounts.google.com/.well-known/openid-configuration has the same keys as JWKs; here as certificates
_CERTIFICATES = "https://www.googleapis.com/oauth2/v1/certs"
_TIMEOUT_S = 10.0


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

    services: none for a process that hears no events. Raises Misconfigured without a project."""
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
    hears = settings.pushed and bool(set(services))
    keys = partial(_keys, settings, data_dir)
    chosen = (settings, databases, bus, blobs, keys, clock, ids, data_dir, project_dir, close)
    return Engines(
        *chosen,
        inlet=_inlet(settings, bus, clock, certificates or _fetching(settings)) if hears else None,
        outlook=outlook,
    )


def _inlet(settings: Settings, bus: PubSubBus, clock: Clock, fetch: Callable[[], Mapping[str, str]]) -> Flask:
    if not (settings.push_account and settings.push_audience):
        raise Misconfigured(
            "AB_PROFILE=gcp needs AB_PUSH_ACCOUNT and AB_PUSH_AUDIENCE: who may push events here."
        )
    pusher = Pusher(settings.push_account, settings.push_audience, settings.push_checked)
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


def _keys(settings: Settings, data_dir: Path) -> Keys:
    """Emulators have no key service of their own: where all services share one folder its keyfile will do."""
    if settings.emulated and not settings.kms_host:
        if settings.pushed:  # as deployed: each has a disk of its own, which is new each time
            raise Misconfigured("AB_KMS_HOST is not set: secrets could not be opened again.")
        return load_keyring(data_dir / KEYFILE)
    if not settings.gcp_region:
        raise Misconfigured("AB_PROFILE=gcp needs AB_GCP_REGION, where the keys are. See docs/deploy.md.")
    ring = key_ring(settings.gcp_project, settings.gcp_region)
    return KmsKeys(kms_client(settings.kms_host), ring)


def kms_client(stand_in: str) -> KeyManagementServiceClient:
    """stand_in: host:port without TLS; empty: Google's."""
    if not stand_in:
        return KeyManagementServiceClient()
    return KeyManagementServiceClient(
        transport=KeyManagementServiceGrpcTransport(channel=grpc.insecure_channel(stand_in))
    )


def bucket(project: str) -> str:
    """As terraform names it."""
    return f"{project}-agentbuilder"
