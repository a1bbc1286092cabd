"""Cloud Scheduler's gRPC API as far as we use it; its jobs really publish, in place of every minute every moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.cloud.scheduler_v1 import (
    CreateJobRequest,
    GetJobRequest,
    Job,
    PauseJobRequest,
    ResumeJobRequest,
    UpdateJobRequest,
)

_SERVICE = "google.cloud.scheduler.v1.CloudScheduler"


class FakeCloudScheduler:
    """publish(topic, data, attributes): called for every enabled job each `every_s`; None: nothing is sent.

    Of cron only "every minute" is known, because no other is used. `calls` holds the names of what was asked.
    """

    def __init__(
        self, publish: Callable[[str, bytes, dict[str, str]], None] | None = None, every_s: float = 60.0
    ) -> None:
        self.jobs: dict[str, Job] = {}
        self.calls: list[str] = []
        self.refuses = False
        self._publish = publish
        self._every_s = every_s
        self._stopping = threading.Event()
        self._server = grpc.server(ThreadPoolExecutor(2))
        methods = {
            "CreateJob": _method(CreateJobRequest, self._create),
            "GetJob": _method(GetJobRequest, self._get),
            "UpdateJob": _method(UpdateJobRequest, self._update),
            "PauseJob": _method(PauseJobRequest, self._pause),
            "ResumeJob": _method(ResumeJobRequest, self._resume),
        }
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, methods),))
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._thread = threading.Thread(target=self._run, name="cloud-scheduler", daemon=True)

    def start(self) -> FakeCloudScheduler:
        self._server.start()
        self._thread.start()
        return self

    def close(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._server.stop(None).wait()

    def _run(self) -> None:
        while not self._stopping.wait(self._every_s):
            for job in list(self.jobs.values()):
                if self._publish is not None and job.state == Job.State.ENABLED:
                    target = job.pubsub_target
                    self._publish(target.topic_name, target.data, dict(target.attributes))

    def _create(self, request: CreateJobRequest, context: Any) -> Job:
        self.calls.append("create")
        if request.job.name in self.jobs:
            context.abort(grpc.StatusCode.ALREADY_EXISTS, "the job exists")
        return self._keep(request.job)

    def _get(self, request: GetJobRequest, context: Any) -> Job:
        self.calls.append("get")
        return self._found(request.name, context)

    def _update(self, request: UpdateJobRequest, context: Any) -> Job:
        self.calls.append("update")
        job = self._found(request.job.name, context)
        for path in request.update_mask.paths:
            setattr(job, path, getattr(request.job, path))
        return self._keep(job, job.state)

    def _pause(self, request: PauseJobRequest, context: Any) -> Job:
        self.calls.append("pause")
        return self._keep(self._found(request.name, context), Job.State.PAUSED)

    def _resume(self, request: ResumeJobRequest, context: Any) -> Job:
        self.calls.append("resume")
        return self._keep(self._found(request.name, context), Job.State.ENABLED)

    def _found(self, name: str, context: Any) -> Job:
        if self.refuses:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "cloudscheduler.jobs.get is missing")
        if name not in self.jobs:
            context.abort(grpc.StatusCode.NOT_FOUND, "there is no such job")
        return self.jobs[name]

    def _keep(self, job: Job, state: int = Job.State.ENABLED) -> Job:
        """With what Google fills in by itself."""
        kept = Job(job)
        kept.state = Job.State(state)
        if not kept.pubsub_target.topic_name or kept.schedule != "* * * * *":
            raise AssertionError(f"this stand-in only publishes every minute, not {kept.schedule}")
        if not kept.retry_config.max_doublings:
            kept.retry_config.max_doublings = 5
        self.jobs[kept.name] = kept
        return kept


def _method(request: Any, answer: Callable[[Any, Any], Job]) -> Any:
    return grpc.unary_unary_rpc_method_handler(
        answer, request_deserializer=request.deserialize, response_serializer=Job.serialize
    )
