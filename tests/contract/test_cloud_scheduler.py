"""Who ticks on Google Cloud: the job is made, mended and left alone, and what it sends is a tick."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest
from google.cloud.scheduler_v1 import CloudSchedulerClient, Job

from services.all_in_one import main
from services.scheduler.adapters.cloud_scheduler import client, reconcile, wanted
from shared.bus.push import from_push
from shared.errors import Misconfigured, Unavailable
from shared.events.clock import TimeTicked
from shared.events.envelope import payload
from tests.contract.receiving import eventually
from tests.fakes.cloud_scheduler import FakeCloudScheduler
from tests.google import named

PLACE = ("my-agents", "asia-northeast3")
NAME = "projects/my-agents/locations/asia-northeast3/jobs/ab-tick"


@pytest.fixture
def fake() -> Iterator[FakeCloudScheduler]:
    made = FakeCloudScheduler().start()
    yield made
    made.close()  # may be closed already


@pytest.fixture
def scheduler(fake: FakeCloudScheduler) -> CloudSchedulerClient:
    return client(fake.address)


def test_the_job_is_made_once_and_then_left_alone(
    fake: FakeCloudScheduler, scheduler: CloudSchedulerClient
) -> None:
    assert reconcile(scheduler, *PLACE) == "created"
    assert reconcile(scheduler, *PLACE) == "left as it is"
    assert fake.calls == ["get", "create", "get"]
    assert list(fake.jobs) == [NAME]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("time_zone", "Asia/Seoul"),
        ("description", "by hand"),
        ("pubsub_target", {"topic_name": "projects/my-agents/topics/elsewhere", "data": b"{}"}),
        ("retry_config", {"retry_count": 0}),
    ],
)
def test_a_job_that_somebody_changed_is_made_right_again(
    fake: FakeCloudScheduler, scheduler: CloudSchedulerClient, field: str, value: object
) -> None:
    reconcile(scheduler, *PLACE)
    setattr(fake.jobs[NAME], field, value)

    assert reconcile(scheduler, *PLACE) == "updated"
    assert getattr(fake.jobs[NAME], field) == getattr(_kept(), field)
    assert reconcile(scheduler, *PLACE) == "left as it is"


def _kept() -> Job:
    job = wanted(*PLACE)
    job.retry_config.max_doublings = 5
    return job


def test_a_job_that_was_paused_ticks_again(fake: FakeCloudScheduler, scheduler: CloudSchedulerClient) -> None:
    reconcile(scheduler, *PLACE)
    scheduler.pause_job(name=NAME)

    assert reconcile(scheduler, *PLACE) == "resumed"
    assert fake.jobs[NAME].state == Job.State.ENABLED


def test_what_the_job_sends_is_a_tick() -> None:
    target = wanted(*PLACE).pubsub_target
    message = {
        "attributes": dict(target.attributes),
        "data": base64.b64encode(target.data).decode(),
        "messageId": "9",
        "publishTime": "2026-11-26T09:00:00Z",
    }
    body = json.dumps({"message": message, "subscription": "projects/p/subscriptions/clock.ledger"})

    envelope = from_push(body.encode()).envelope

    assert envelope.type == TimeTicked.type()
    assert envelope.service in TimeTicked.producers
    assert payload(envelope, TimeTicked).at == "2026-11-26T09:00:00.000000Z"


def test_the_stand_in_sends_what_the_job_says_while_it_is_enabled() -> None:
    sent: list[tuple[str, bytes, dict[str, str]]] = []
    fake = FakeCloudScheduler(lambda *message: sent.append(message), every_s=0.01).start()
    scheduler = client(fake.address)
    reconcile(scheduler, *PLACE)
    assert eventually(lambda: len(sent) > 1)
    scheduler.pause_job(name=NAME)
    fake.close()

    target = wanted(*PLACE).pubsub_target
    assert sent[0] == (target.topic_name, target.data, dict(target.attributes))


def test_a_refusal_is_said_in_our_words(fake: FakeCloudScheduler, scheduler: CloudSchedulerClient) -> None:
    fake.refuses = True
    with pytest.raises(Misconfigured, match=r"refused the tick: cloudscheduler\.jobs\.get is missing"):
        reconcile(scheduler, *PLACE)


def test_silence_is_said_in_our_words(fake: FakeCloudScheduler) -> None:
    fake.close()
    with pytest.raises(Unavailable, match="did not answer"):
        reconcile(client(fake.address), *PLACE, patience_s=0.2)


def test_deploying_ends_with_the_tick(fake: FakeCloudScheduler, capsys: pytest.CaptureFixture[str]) -> None:
    with named(AB_CLOUD_SCHEDULER_HOST=fake.address, AB_GCP_PROJECT=PLACE[0]):
        assert main(["tick"]) == 1
        assert "AB_GCP_REGION" in capsys.readouterr().err

        with named(AB_GCP_REGION=PLACE[1]):
            assert main(["tick"]) == 0
    assert capsys.readouterr().out == "The tick of every minute: created.\n"
    assert list(fake.jobs) == [NAME]
