"""The tick on Google Cloud: one job of Cloud Scheduler's that publishes the same message every minute."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from google.api_core import exceptions
from google.api_core.retry import Retry
from google.cloud.scheduler_v1 import CloudSchedulerClient, Job, PubsubTarget, RetryConfig
from google.cloud.scheduler_v1.services.cloud_scheduler.transports import CloudSchedulerGrpcTransport
from google.protobuf import field_mask_pb2

from shared.errors import Misconfigured, Unavailable
from shared.events.clock import TimeTicked

NAME = "ab-tick"  # alerts name it, too (terraform/alerts.tf)
Done = Literal["created", "updated", "resumed", "left as it is"]
_TIMEOUT_S = 30.0
_PATIENCE_S = 60.0
_OURS = ("description", "pubsub_target", "schedule", "time_zone", "retry_config")


def client(endpoint: str = "") -> CloudSchedulerClient:
    """endpoint: host:port of a stand-in, spoken to without TLS; empty: Google's."""
    if not endpoint:
        return CloudSchedulerClient()
    import grpc

    transport = CloudSchedulerGrpcTransport(channel=grpc.insecure_channel(endpoint))
    return CloudSchedulerClient(transport=transport)


def wanted(project: str, region: str) -> Job:
    """Its id and its moment are Pub/Sub's: what Cloud Scheduler publishes never changes (decision 36)."""
    attributes = {
        "ce-specversion": "1.0",
        "ce-type": TimeTicked.type(),
        "ce-source": "/services/clock",
        "ce-actor": "service:clock",
        "content-type": "application/json",
    }
    topic = f"projects/{project}/topics/agentbuilder-{TimeTicked.topic()}"
    return Job(
        name=f"projects/{project}/locations/{region}/jobs/{NAME}",
        description="Publishes " + TimeTicked.type(),
        schedule="* * * * *",
        time_zone="Etc/UTC",
        pubsub_target=PubsubTarget(topic_name=topic, data=b"{}", attributes=attributes),
        # The next one is due soon.
        retry_config=RetryConfig(retry_count=3, max_retry_duration=timedelta(seconds=30)),
    )


def reconcile(
    scheduler: CloudSchedulerClient, project: str, region: str, patience_s: float = _PATIENCE_S
) -> Done:
    """Makes the job what it should be, and resumes one that was paused; may be called any number of times.
    patience_s: how long it asks again where nobody answers.

    Raises Misconfigured when Google refuses, Unavailable when it does not answer.
    """
    job = wanted(project, region)
    try:
        return _reconcile(scheduler, job, Retry(timeout=patience_s))
    except exceptions.ClientError as error:
        raise Misconfigured(f"Cloud Scheduler refused the tick: {error.message}") from error
    except (exceptions.GoogleAPICallError, exceptions.RetryError) as error:
        raise Unavailable(f"Cloud Scheduler did not answer: {error}") from error


def _reconcile(scheduler: CloudSchedulerClient, job: Job, again: Retry) -> Done:
    try:
        found = scheduler.get_job(name=job.name, retry=again, timeout=_TIMEOUT_S)
    except exceptions.NotFound:
        parent = job.name.rpartition("/jobs/")[0]
        scheduler.create_job(parent=parent, job=job, timeout=_TIMEOUT_S)
        return "created"
    done: Done = "left as it is"
    if found.state == Job.State.PAUSED:
        scheduler.resume_job(name=job.name, timeout=_TIMEOUT_S)
        done = "resumed"
    if any(not _fits(getattr(job, name), getattr(found, name)) for name in _OURS):
        mask = field_mask_pb2.FieldMask(paths=_OURS)
        scheduler.update_job(job=job, update_mask=mask, timeout=_TIMEOUT_S)
        done = "updated"
    return done


def _fits(ours: object, found: object) -> bool:
    """What Google filled in where we said nothing is no difference."""
    if not isinstance(ours, RetryConfig) or not isinstance(found, RetryConfig):
        return ours == found
    return (ours.retry_count, ours.max_retry_duration) == (found.retry_count, found.max_retry_duration)
