"""Cloud Run Jobs' API on a local port: every execution really is a process, with failures to order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent import futures
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import grpc
from google.cloud import run_v2
from google.longrunning import operations_pb2
from google.protobuf import any_pb2

from tests.emulators import OWNER_VARIABLE
from tests.machine import own_mounts
from tests.zygote import Forked, zygote

_REPOSITORY = Path(__file__).parents[2]
PROGRAM = "services.executor.task"  # the runner image's command: python -m
_GRACE_S = 10.0  # between SIGTERM and SIGKILL, as on Cloud Run


@dataclass
class Fault:
    """What happens to the next RunJob. refuse: with this status nothing begins. lost: it begins, and the answer
    says UNAVAILABLE. twice: two executions begin. delay_s: until the process starts."""

    refuse: grpc.StatusCode | None = None
    lost: bool = False
    twice: bool = False
    held: threading.Event | None = None


@dataclass
class _Execution:
    message: run_v2.Execution
    variables: dict[str, str]
    timeout_s: float
    folder: Path
    process: subprocess.Popen[bytes] | Forked | None = None
    cancelled: bool = False
    timed_out: bool = False
    over: threading.Event = field(default_factory=threading.Event)


class FakeCloudRun:
    """at: where it listens; port 0: any free one. address: host:port without TLS. jobs: full names that exist; None:
    any. forked: executions begin in this process's zygote (tests/zygote.py), which has loaded their program already.
    Use as a context."""

    def __init__(
        self,
        folder: Path,
        *,
        jobs: Sequence[str] | None = None,
        forked: bool = False,
        variables: Mapping[str, str] | None = None,
        at: str = "127.0.0.1:0",
    ) -> None:
        self._folder = folder
        self._jobs = jobs
        self._forked = forked
        self._variables = dict(variables or {})
        self._lock = threading.Lock()
        self._executions: dict[str, _Execution] = {}
        self._count = 0
        self._closed = threading.Event()
        self.faults: list[Fault] = []
        self.calls: list[str] = []
        self.asked = threading.Semaphore(0)  # released with each call of RunJob
        self.unlisted = False  # the list of executions is behind
        self.deaf = False  # nothing is cancelled, and that is said
        self._server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
        self._server.add_generic_rpc_handlers((self._jobs_api(), self._executions_api()))
        port = self._server.add_insecure_port(at)
        self.address = f"127.0.0.1:{port}"
        self._server.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends every process it started, and starts no other."""
        self._server.stop(None).wait()
        with self._lock:
            self._closed.set()
        for execution in list(self._executions.values()):
            _signal(execution, signal.SIGKILL)
        for execution in list(self._executions.values()):
            execution.over.wait(20)

    @property
    def running(self) -> list[int]:
        """Process ids."""
        found = [one.process for one in self._executions.values() if not one.over.is_set()]
        return [process.pid for process in found if process is not None]

    @property
    def jobs_run(self) -> list[str]:
        """Their short names, in the order of their executions."""
        return [one.message.job.rpartition("/")[2] for one in self._executions.values()]

    @property
    def given(self) -> list[dict[str, str]]:
        """The variables of each execution, in their order."""
        return [dict(one.variables) for one in self._executions.values()]

    def settled(self, count: int) -> list[str]:
        """Waits until so many executions are over; what is said of each, "" when it succeeded or was cancelled."""
        every = list(self._executions.values())
        assert len(every) == count
        for one in every:
            assert one.over.wait(60)
        return [" ".join(condition.message for condition in one.message.conditions) for one in every]

    def kill(self) -> None:
        """As when the machine under the executions dies: no SIGTERM."""
        for execution in list(self._executions.values()):
            _signal(execution, signal.SIGKILL)

    def _jobs_api(self) -> grpc.GenericRpcHandler:
        return _service("google.cloud.run.v2.Jobs", {"RunJob": (self._run_job, run_v2.RunJobRequest)})

    def _executions_api(self) -> grpc.GenericRpcHandler:
        methods: dict[str, tuple[Callable[[Any, grpc.ServicerContext], Any], Any]] = {
            "GetExecution": (self._get, run_v2.GetExecutionRequest),
            "ListExecutions": (self._list, run_v2.ListExecutionsRequest),
            "CancelExecution": (self._cancel, run_v2.CancelExecutionRequest),
        }
        return _service("google.cloud.run.v2.Executions", methods)

    def _run_job(
        self, asked: run_v2.RunJobRequest, context: grpc.ServicerContext
    ) -> operations_pb2.Operation:
        self.calls.append("run")
        self.asked.release()
        with self._lock:
            fault = self.faults.pop(0) if self.faults else Fault()
        if self._jobs is not None and asked.name not in self._jobs:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Resource {asked.name} does not exist")
        if fault.refuse is not None:
            context.abort(fault.refuse, "as ordered")
        begun = self._begin(asked, fault)
        if fault.twice:
            self._begin(asked, fault)
        if fault.lost:
            context.abort(grpc.StatusCode.UNAVAILABLE, "the answer is lost, as ordered")
        return _operation(begun.message)

    def _begin(self, asked: run_v2.RunJobRequest, fault: Fault) -> _Execution:
        with self._lock:
            self._count += 1
            name = f"{asked.name}/executions/{asked.name.rpartition('/')[2]}-{self._count:05d}"
            overrides = asked.overrides
            given = overrides.container_overrides[0].env
            message = run_v2.Execution(
                name=name,
                job=asked.name,
                create_time=datetime.now(UTC),
                task_count=1,
                template=run_v2.TaskTemplate(containers=[run_v2.Container(env=given)]),
            )
            folder = self._folder / str(self._count)
            variables = {one.name: one.value for one in given}
            execution = _Execution(message, variables, overrides.timeout.total_seconds(), folder)
            self._executions[name] = execution
        threading.Thread(target=self._live, args=(execution, fault.held), daemon=True).start()
        return execution

    def _live(self, execution: _Execution, held: threading.Event | None) -> None:
        if held is not None:
            held.wait()
        execution.folder.mkdir(parents=True)
        process = self._started(execution)
        code = 1
        if process is not None:
            try:
                code = process.wait(execution.timeout_s)
            except subprocess.TimeoutExpired:
                execution.timed_out = True
                code = _end(execution)
        self._settle(execution, code)

    def _started(self, execution: _Execution) -> subprocess.Popen[bytes] | Forked | None:
        with self._lock, (execution.folder / "log").open("wb") as said:
            if execution.cancelled or self._closed.is_set():
                return None
            env = self._environment(execution)
            if self._forked:
                execution.process = zygote().start(PROGRAM, (), env=env, said=said, stdout=said)
                return execution.process
            execution.process = subprocess.Popen(
                own_mounts([sys.executable, "-m", PROGRAM]),
                cwd=_REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env=env,
                start_new_session=True,
            )
            return execution.process

    def _environment(self, execution: _Execution) -> dict[str, str]:
        """As a container's: nothing of this process but where Python is, and the mark of the test run."""
        names = ("PATH", "LANG", "PYTHONPATH", OWNER_VARIABLE)
        kept = {name: os.environ[name] for name in names if name in os.environ}
        own = {"AB_DATA_DIR": str(execution.folder), "CLOUD_RUN_EXECUTION": execution.message.name}
        return kept | own | self._variables | execution.variables

    def _settle(self, execution: _Execution, code: int) -> None:
        message = execution.message
        if execution.cancelled:
            message.cancelled_count = 1
        elif code == 0:
            message.succeeded_count = 1
        else:
            message.failed_count = 1
            why = (
                "The task timed out." if execution.timed_out else f"The container exited with status {code}."
            )
            failed = run_v2.Condition.State.CONDITION_FAILED
            message.conditions = [run_v2.Condition(type_="Completed", state=failed, message=why)]
        message.completion_time = datetime.now(UTC)
        execution.over.set()

    def _get(self, asked: run_v2.GetExecutionRequest, context: grpc.ServicerContext) -> run_v2.Execution:
        return self._found(asked.name, context).message

    def _list(
        self, asked: run_v2.ListExecutionsRequest, context: grpc.ServicerContext
    ) -> run_v2.ListExecutionsResponse:
        of_job = [one.message for one in self._executions.values() if one.message.job == asked.parent]
        return run_v2.ListExecutionsResponse(executions=[] if self.unlisted else of_job[::-1])

    def _cancel(
        self, asked: run_v2.CancelExecutionRequest, context: grpc.ServicerContext
    ) -> operations_pb2.Operation:
        self.calls.append("cancel")
        if self.deaf:
            context.abort(grpc.StatusCode.UNAVAILABLE, "as ordered")
        execution = self._found(asked.name, context)
        execution.cancelled = True
        threading.Thread(target=_end, args=(execution,), daemon=True).start()
        return _operation(execution.message)

    def _found(self, name: str, context: grpc.ServicerContext) -> _Execution:
        if name not in self._executions:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Resource {name} does not exist")
        return self._executions[name]

    def said(self) -> str:
        """All that the processes wrote, for a test that fails."""
        return "".join(path.read_text(errors="replace") for path in sorted(self._folder.glob("*/log")))


def _end(execution: _Execution) -> int:
    """SIGTERM, time for last words, SIGKILL."""
    _signal(execution, signal.SIGTERM, whole=False)
    process = execution.process
    if process is None:
        return 1
    try:
        return process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        _signal(execution, signal.SIGKILL)
        return process.wait()


def _signal(execution: _Execution, number: signal.Signals, *, whole: bool = True) -> None:
    process = execution.process
    if process is not None and process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number) if whole else os.kill(process.pid, number)


def _operation(execution: run_v2.Execution) -> operations_pb2.Operation:
    packed = any_pb2.Any()
    packed.Pack(run_v2.Execution.pb(execution))
    return operations_pb2.Operation(name=f"{execution.name}/operation", metadata=packed)


def _service(
    name: str, methods: Mapping[str, tuple[Callable[[Any, grpc.ServicerContext], Any], Any]]
) -> grpc.GenericRpcHandler:
    return grpc.method_handlers_generic_handler(
        name,
        {
            method: grpc.unary_unary_rpc_method_handler(
                function, request_deserializer=shape.deserialize, response_serializer=_serialize
            )
            for method, (function, shape) in methods.items()
        },
    )


def _serialize(message: Any) -> bytes:
    data: bytes = (
        message.SerializeToString()
        if isinstance(message, operations_pb2.Operation)
        else type(message).serialize(message)
    )
    return data
