"""A service as it is deployed: Firestore and Pub/Sub under it, events pushed with a token, nothing fetched."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from services.all_in_one import create
from shared.bus.oidc import Pusher
from shared.clock import SystemClock, stamp
from shared.errors import Misconfigured
from shared.events.run import RunRequested
from shared.runtime.profiles.engines import Engines
from shared.runtime.settings import Settings, from_environment
from shared.runtime.shell import Running
from shared.vault.keyfile import KEYFILE, load_keyring, new_key_line
from tests.contract.receiving import event
from tests.fakes.issuer import FakeIssuer
from tests.google import fresh_project

pytestmark = pytest.mark.usefixtures("firestore_here", "pubsub_here", "storage_here")

PUSHER = Pusher("push-scheduler@p.iam.gserviceaccount.com", "https://scheduler.example.com")
CLOCK = SystemClock()
ISSUER = FakeIssuer(PUSHER, CLOCK.now(), "k1")


def deployed(folder: Path, **more: str) -> Settings:
    return from_environment(
        {
            "AB_PROFILE": "gcp",
            "AB_GCP_PROJECT": fresh_project(),
            "AB_DATA_DIR": str(folder),
            "AB_PUSH_ACCOUNT": PUSHER.account,
            "AB_PUSH_AUDIENCE": PUSHER.audience,
            **more,
        }
    )


def opened(settings: Settings, service: str, folder: Path) -> Engines:
    from shared.runtime.profiles import google

    return google.engines(settings, [service], project_dir=folder, certificates=ISSUER)


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[Engines]:
    made = opened(deployed(tmp_path), "scheduler", tmp_path)
    yield made
    made.bus.stop()
    made.close()


@pytest.fixture
def client(engines: Engines) -> Iterator[FlaskClient]:
    kit = engines.kit("scheduler")
    running = Running(create("scheduler", kit), kit)
    running.start()
    engines.bus.start()
    assert engines.inlet is not None
    yield engines.inlet.test_client()
    running.stop()


def pushed(client: FlaskClient, attributes: dict[str, str], data: bytes, header: str) -> int:
    message = {
        "attributes": attributes,
        "data": base64.b64encode(data).decode(),
        "messageId": "1",
        "publishTime": stamp(CLOCK.now()),
    }
    topic = attributes["ce-type"].split(".")[1]
    body = {"message": message, "subscription": f"projects/p/subscriptions/{topic}.scheduler"}
    return client.post("/events", json=body, headers={"Authorization": header} if header else {}).status_code


TICK = {"ce-source": "/services/clock", "ce-type": "agentbuilder.clock.time_ticked.v1"}


def test_a_tick_is_handled_and_acknowledged(client: FlaskClient) -> None:
    assert pushed(client, TICK, b"{}", ISSUER.header()) == 204


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("", 401),
        (ISSUER.header(exp=1), 401),
        (ISSUER.header(aud="https://gateway.example.com"), 403),
        (ISSUER.header(email="push-gateway@p.iam.gserviceaccount.com"), 403),
    ],
)
def test_without_its_own_token_nothing_reaches_the_service(
    client: FlaskClient, engines: Engines, header: str, status: int
) -> None:
    forged = event(type="agentbuilder.nobody.knows.v1")
    assert pushed(client, forged.attributes(), forged.body(), header) == status
    assert engines.bus.dead_letters() == []


def test_an_event_that_its_sender_may_not_emit_or_nobody_knows_is_parked_with_its_reason(
    client: FlaskClient, engines: Engines
) -> None:
    unknown = event(type="agentbuilder.nobody.knows.v1")
    forged = event(type=RunRequested.type()).attributes() | {"ce-source": "/services/ledger"}
    assert "ledger" not in RunRequested.producers

    assert pushed(client, unknown.attributes(), unknown.body(), ISSUER.header()) == 204
    assert pushed(client, forged, b"{}", ISSUER.header()) == 204

    reasons = sorted(letter.reason for letter in engines.bus.dead_letters())
    assert reasons == [
        f"/services/ledger may not emit {RunRequested.type()}",
        "unknown type agentbuilder.nobody.knows.v1",
    ]


def test_a_service_that_seals_does_not_start_on_a_key_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="AB_VAULT_KEY"):
        opened(deployed(tmp_path), "gateway", tmp_path)


def test_the_key_out_of_secret_manager_is_the_key(tmp_path: Path) -> None:
    line = new_key_line()
    made = opened(deployed(tmp_path, AB_VAULT_KEY=line), "gateway", tmp_path)

    assert load_keyring(tmp_path / KEYFILE).current.id == line.split()[0]

    made.bus.stop()
    made.close()
