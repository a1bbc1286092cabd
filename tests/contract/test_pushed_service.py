"""A service as it is deployed: Firestore and Pub/Sub under it, events pushed with a token, nothing fetched."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from services.all_in_one import create
from shared.agentfile.model import Schedule
from shared.bus.oidc import Pusher
from shared.clock import SystemClock, stamp
from shared.errors import Misconfigured
from shared.events.agent import AgentChanged
from shared.events.plan import PlanDecided
from shared.events.routing import subscriptions
from shared.runtime.profiles.engines import Engines
from shared.runtime.server import WebServer, listen
from shared.runtime.settings import Settings, from_environment
from shared.runtime.shell import Running
from tests.contract.receiving import event, eventually
from tests.fakes.issuer import FakeIssuer
from tests.fakes.kms import FakeKms
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
            "AB_OTLP_ENDPOINT": "http://127.0.0.1:9",  # nobody listens there
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


CHANGED = AgentChanged(
    agent_id="agent_1",
    conversation_id="conv_1",
    enabled=True,
    version_id="ver_1",
    grant_id="grant_1",
    schedule=Schedule(cron="0 9 * * *"),
    revision="1",
)
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


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"ce-type": "agentbuilder.nobody.knows.v1"}, "unknown type agentbuilder.nobody.knows.v1"),
        ({"ce-type": "agentbuilder.plan.decided.v2"}, "unknown type agentbuilder.plan.decided.v2"),
        ({"ce-source": "/services/ledger"}, f"/services/ledger may not emit {PlanDecided.type()}"),
        ({"ce-source": "/services/nobody"}, f"/services/nobody may not emit {PlanDecided.type()}"),
        ({"ce-type": AgentChanged.type()}, None),
    ],
    ids=["unknown", "a newer version", "another service", "no service", "another type's name"],
)
def test_what_its_sender_may_not_say_or_nobody_understands_is_parked_with_its_reason(
    client: FlaskClient, engines: Engines, attributes: dict[str, str], reason: str | None
) -> None:
    forged = event(type=PlanDecided.type()).attributes() | attributes
    assert PlanDecided.producers == {"gateway"}

    assert pushed(client, forged, b"{}", ISSUER.header()) == 204

    (letter,) = engines.bus.dead_letters()
    assert letter.service == "scheduler"
    assert reason is None or letter.reason == reason


def test_an_event_of_another_workspace_than_its_agent_is_parked(
    client: FlaskClient, engines: Engines
) -> None:
    mine = event(type=AgentChanged.type(), subject="agent_1").with_data(CHANGED.model_dump(mode="json"))
    assert pushed(client, mine.attributes(), mine.body(), ISSUER.header()) == 204
    off = CHANGED.model_copy(update={"enabled": False, "revision": "2"})
    theirs = event(type=AgentChanged.type(), subject="agent_1").with_data(off.model_dump(mode="json"))

    foreign = theirs.attributes() | {"ce-workspaceid": "ws_2"}
    assert pushed(client, foreign, theirs.body(), ISSUER.header()) == 204

    (letter,) = engines.bus.dead_letters()
    assert "of another workspace" in letter.reason
    kept = engines.databases.own("scheduler").get("schedules", "agent_1")
    assert kept is not None
    assert (kept.data["workspace_id"], kept.data["enabled"]) == ("ws_1", True)


def test_eleven_megabytes_are_not_even_read(client: FlaskClient, engines: Engines) -> None:
    large = event(type=PlanDecided.type())
    assert pushed(client, large.attributes(), b"x" * (11 << 20), ISSUER.header()) == 413
    assert engines.bus.dead_letters() == []


def test_a_service_that_seals_does_not_start_on_keys_of_its_own(tmp_path: Path) -> None:
    made = opened(deployed(tmp_path), "gateway", tmp_path)
    with pytest.raises(Misconfigured, match="AB_GCP_REGION"):
        made.kit("gateway")
    made.bus.stop()
    made.close()


def test_a_service_wraps_with_the_keys_it_may_use_and_no_others(tmp_path: Path) -> None:
    with FakeKms() as kms:
        place = {"AB_GCP_REGION": "here", "AB_KMS_HOST": kms.address}
        made = opened(deployed(tmp_path, **place), "planner", tmp_path)
        keys = made.kit("planner").keys

        key_id, wrapped = keys.ring("connections").wrap(bytes(32), b"here")
        assert keys.ring("connections").unwrap(key_id, wrapped, b"here") == bytes(32)
        with pytest.raises(Misconfigured, match="planner may not use the keys of secrets"):
            keys.ring("secrets")
        assert not (tmp_path / "vault.key").exists()

        made.bus.stop()
        made.close()


@pytest.mark.parametrize("missing", ["AB_PUSH_ACCOUNT", "AB_PUSH_AUDIENCE"])
def test_a_service_must_know_who_may_push(missing: str, tmp_path: Path) -> None:
    known = deployed(tmp_path).model_dump()
    field = missing.removeprefix("AB_").lower()
    with pytest.raises(Misconfigured, match="AB_PUSH_ACCOUNT"):
        opened(
            Settings.model_validate({**known, field: "", "firestore_emulator_host": ""}), "gateway", tmp_path
        )


class Door:
    """What the emulator pushes to: it sends no token, so one is put beside what it sends. Remembers the answers."""

    def __init__(self, inlet: Flask, header: str) -> None:
        self.header = header
        self.answers: list[int] = []
        self._inlet = inlet
        self._listening = listen(0)
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}/events"
        self._server = WebServer(self._answer, self._listening)
        self._server.start()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        def note(status: str, *rest: Any) -> Any:
            self.answers.append(int(status[:3]))
            return start_response(status, *rest)

        return self._inlet.wsgi_app({**environ, "HTTP_AUTHORIZATION": self.header}, note)

    def close(self) -> None:
        self._server.stop()


@pytest.fixture
def door(engines: Engines, client: FlaskClient) -> Iterator[Door]:
    """Subscribed as terraform subscribes: every topic of the scheduler's pushed to one address."""
    from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

    from shared.bus.pubsub import topic_path

    assert engines.inlet is not None
    made = Door(engines.inlet, ISSUER.header())
    project = engines.settings.gcp_project
    publisher: Any = PublisherClient()
    with SubscriberClient() as subscriber:
        for topic in subscriptions()["scheduler"]:
            publisher.create_topic(name=topic_path(project, topic))
            request = {
                "name": subscriber.subscription_path(project, f"{topic}.scheduler"),
                "topic": topic_path(project, topic),
                "push_config": {"push_endpoint": made.address},
            }
            subscriber.create_subscription(request=request)
    yield made
    made.close()
    publisher.stop()


def ticked(engines: Engines) -> None:
    """As Cloud Scheduler does it: the same message every minute, without an id."""
    from google.cloud.pubsub_v1 import PublisherClient

    from shared.bus.pubsub import topic_path

    publisher: Any = PublisherClient()
    publisher.publish(topic_path(engines.settings.gcp_project, "clock"), b"{}", **TICK).result(timeout=30)
    publisher.stop()


def test_what_pub_sub_itself_pushes_is_taken(engines: Engines, door: Door) -> None:
    engines.bus.publish(
        [event(type=AgentChanged.type(), subject="agent_1").with_data(CHANGED.model_dump(mode="json"))]
    )
    ticked(engines)

    store = engines.databases.own("scheduler")
    assert eventually(lambda: store.get("schedules", "agent_1") is not None)
    assert eventually(lambda: door.answers.count(204) == 2)


def test_what_was_refused_for_its_token_comes_again_and_is_taken_once_it_has_one(
    engines: Engines, door: Door
) -> None:
    door.header = ISSUER.header(aud="https://gateway.example.com")
    ticked(engines)
    assert eventually(lambda: door.answers.count(403) >= 2)

    door.header = ISSUER.header()
    assert eventually(lambda: 204 in door.answers)
