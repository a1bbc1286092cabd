"""Executions of Cloud Run Jobs: start one, find it again, look, cancel. One attempt of a run is one execution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import grpc
from google.api_core import exceptions
from google.cloud import run_v2
from google.cloud.run_v2.services.executions.transports import ExecutionsGrpcTransport
from google.cloud.run_v2.services.jobs.transports import JobsGrpcTransport

from services.executor.run_api.messages import ATTEMPT
from shared.errors import Interrupted, Misconfigured, Unavailable

_TIMEOUT_S = 30.0
_PAGE = 100
_LOOKED_THROUGH = 500
_QUOTA_AGAIN_S = 30.0


@dataclass(frozen=True)
class Seen:
    """over: nothing of it runs any more. why: Google's own words about an end that was not a success."""

    over: bool
    why: str = ""


class Executions(Protocol):
    def run(self, job: str, variables: Mapping[str, str], timeout_s: int) -> str:
        """Start one and return its name. Never repeats by itself. Raises: Interrupted when nobody knows whether it
        began; Unavailable (a quota) and Misconfigured when it did not."""

    def find(self, job: str, attempt_id: str) -> str | None:
        """The execution that carries the attempt's id, among the newest. Raises: Unavailable."""

    def look(self, name: str) -> Seen:
        """One that Google has forgotten is over. Raises: Unavailable."""

    def cancel(self, name: str) -> None:
        """SIGTERM, and ten seconds later the end. No error for one that is over. Raises: Unavailable."""

    def close(self) -> None: ...


class GoogleExecutions:
    """place: projects/…/locations/…; emulator: host:port of a stand-in without TLS, or ""."""

    def __init__(self, place: str, emulator: str = "") -> None:
        self._place = place
        if emulator:
            channel = grpc.insecure_channel(emulator)
            self._jobs = run_v2.JobsClient(transport=JobsGrpcTransport(channel=channel))
            self._executions = run_v2.ExecutionsClient(transport=ExecutionsGrpcTransport(channel=channel))
        else:
            self._jobs, self._executions = run_v2.JobsClient(), run_v2.ExecutionsClient()

    def run(self, job: str, variables: Mapping[str, str], timeout_s: int) -> str:
        overrides = run_v2.RunJobRequest.Overrides(
            container_overrides=[
                run_v2.RunJobRequest.Overrides.ContainerOverride(
                    env=[run_v2.EnvVar(name=name, value=value) for name, value in variables.items()]
                )
            ],
            task_count=1,
            timeout={"seconds": timeout_s},
        )
        asked = run_v2.RunJobRequest(name=f"{self._place}/jobs/{job}", overrides=overrides)
        try:
            operation = self._jobs.run_job(asked, retry=None, timeout=_TIMEOUT_S)
        except (exceptions.ResourceExhausted, exceptions.TooManyRequests) as error:
            raise Unavailable(
                "Google starts no more runs at once for this project just now.", retry_after_s=_QUOTA_AGAIN_S
            ) from error
        except exceptions.NotFound as error:
            raise Misconfigured(
                f"There is no job {job} on Google. Make it with: terraform apply (cloud_sandbox = true)"
            ) from error
        except (exceptions.Forbidden, exceptions.Unauthorized) as error:
            raise Misconfigured(
                "Google does not let the executor start runs. Give its account the role abRunStarter on the runner's "
                f"jobs (terraform/runner.tf): {error.message}"
            ) from error
        except exceptions.BadRequest as error:  # also a failed precondition: a job that cannot be run
            raise Misconfigured(f"Google refused to start the job {job}: {error.message}") from error
        except (exceptions.GoogleAPICallError, exceptions.RetryError) as error:
            raise Interrupted("Google did not say whether it started the run.") from error
        name: str = operation.metadata.name
        return name

    def find(self, job: str, attempt_id: str) -> str | None:
        asked = run_v2.ListExecutionsRequest(parent=f"{self._place}/jobs/{job}", page_size=_PAGE)
        try:
            newest_first = self._executions.list_executions(asked, timeout=_TIMEOUT_S)
            for number, execution in enumerate(newest_first):
                if number >= _LOOKED_THROUGH:
                    break
                if _attempt_in(execution) == attempt_id:
                    name: str = execution.name
                    return name
        except exceptions.NotFound:
            return None
        except (exceptions.GoogleAPICallError, exceptions.RetryError) as error:
            raise _unanswered(error) from error
        return None

    def look(self, name: str) -> Seen:
        try:
            found = self._executions.get_execution(name=name, timeout=_TIMEOUT_S)
        except exceptions.NotFound:
            return Seen(over=True)
        except (exceptions.GoogleAPICallError, exceptions.RetryError) as error:
            raise _unanswered(error) from error
        ended = found.succeeded_count + found.failed_count + found.cancelled_count
        failed = run_v2.Condition.State.CONDITION_FAILED
        said = [condition.message for condition in found.conditions if condition.state == failed]
        return Seen(over=ended >= max(1, found.task_count), why=" ".join(filter(None, said))[:400])

    def cancel(self, name: str) -> None:
        try:
            self._executions.cancel_execution(name=name, retry=None, timeout=_TIMEOUT_S)
        except (exceptions.NotFound, exceptions.BadRequest):
            return
        except (exceptions.GoogleAPICallError, exceptions.RetryError) as error:
            raise _unanswered(error) from error

    def close(self) -> None:
        for client in (self._jobs, self._executions):
            client.transport.close()  # type: ignore[no-untyped-call]  # the library leaves it untyped


def _attempt_in(execution: run_v2.Execution) -> str:
    """As the overrides of its start set it."""
    for container in execution.template.containers:
        for variable in container.env:
            if variable.name == ATTEMPT:
                value: str = variable.value
                return value
    return ""


def _unanswered(error: Exception) -> Unavailable:
    return Unavailable(f"Google did not answer about a run: {error}")
