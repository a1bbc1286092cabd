"""A version was published: make its packages ready, once per lock, saying each step."""

from __future__ import annotations

import shutil

from services.executor import repository
from services.executor.deps import Deps
from services.executor.handlers.starts import wake_waiting
from shared.bus.dispatch import Failed, Job
from shared.errors import NotYet
from shared.events.environment import EnvironmentFailed, EnvironmentProgressed, EnvironmentReady
from shared.events.plan import VersionPublished
from shared.ids import derived
from shared.records.executor import EnvironmentRecord
from shared.records.planner import Version
from shared.store.port import Tx

NOTHING = "env_none"


class EnvironmentJob(Job):
    version_id: str
    conversation_id: str
    workspace_id: str
    packages: tuple[str, ...]
    lock: str | None


class Built(Job):
    environment_id: str
    seconds: float = 0
    size_bytes: int = 0


def claim_environment(event: VersionPublished, tx: Tx, deps: Deps) -> EnvironmentJob | None:
    document = deps.planner.get("versions", event.version_id)
    if document is None:
        raise NotYet("The version is not readable yet.")
    version = Version.from_doc(document.data)
    packages = version.agent_file.agent.packages
    if not packages:
        record = EnvironmentRecord(id=NOTHING, workspace_id="", status="ready", at=deps.now())
        repository.save_environment(tx, record)
        repository.link_environment(tx, version.id, NOTHING, version.workspace_id)
        _ready(tx, event.version_id, event.conversation_id, NOTHING, 0)
        return None
    return EnvironmentJob(
        version_id=version.id,
        conversation_id=event.conversation_id,
        workspace_id=version.workspace_id,
        packages=packages,
        lock=version.lock,
    )


def do_environment(job: EnvironmentJob, deps: Deps) -> Built:
    """Resolve when there is no lock, install when the folder is not there. Safe to repeat after a death."""
    started = deps.clock.monotonic()
    lock = job.lock or deps.builder.resolve(job.packages)
    environment_id = derived("env", lock)
    target = deps.folders.environment(environment_id)
    if not target.exists():
        beside = deps.folders.fresh("env")
        total = sum(1 for line in lock.splitlines() if "==" in line and not line.startswith((" ", "#")))
        progress = _Progress(job, deps, total)
        try:
            deps.builder.install(lock, beside, progress.say)
            beside.rename(target)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    size = sum(f.stat().st_size for f in target.rglob("*") if f.is_file())
    return Built(environment_id=environment_id, seconds=deps.clock.monotonic() - started, size_bytes=size)


class _Progress:
    """Posts at most a few sentences a second: every one is a commit that people watch."""

    def __init__(self, job: EnvironmentJob, deps: Deps, total: int) -> None:
        self._job, self._deps, self._total = job, deps, total
        self._done = 0
        self._last = -1.0

    def say(self, text: str) -> None:
        self._done = min(self._total, self._done + 1)
        now = self._deps.clock.monotonic()
        if now - self._last < 0.1 and self._done < self._total:
            return
        self._last = now
        event = EnvironmentProgressed(
            version_id=self._job.version_id,
            conversation_id=self._job.conversation_id,
            text=text,
            done=self._done,
            total=self._total,
        )
        self._deps.post(event, self._job.workspace_id)


def record_environment(job: EnvironmentJob, outcome: Built | Failed, tx: Tx, deps: Deps) -> None:
    if isinstance(outcome, Failed):
        tx.emit(
            EnvironmentFailed(
                version_id=job.version_id, conversation_id=job.conversation_id, text=outcome.detail
            )
        )
        return
    record = EnvironmentRecord(
        id=outcome.environment_id,
        workspace_id="",
        status="ready",
        packages=job.packages,
        size_bytes=outcome.size_bytes,
        seconds=outcome.seconds,
        at=deps.now(),
    )
    repository.save_environment(tx, record)
    repository.link_environment(tx, job.version_id, outcome.environment_id, job.workspace_id)
    _ready(tx, job.version_id, job.conversation_id, outcome.environment_id, outcome.seconds)


def _ready(tx: Tx, version_id: str, conversation_id: str, environment_id: str, seconds: float) -> None:
    tx.emit(
        EnvironmentReady(
            version_id=version_id,
            conversation_id=conversation_id,
            environment_id=environment_id,
            seconds=seconds,
        )
    )


def on_environment_ready(event: EnvironmentReady, tx: Tx, deps: Deps) -> None:
    """Runs that waited for these packages may start."""
    wake_waiting(tx, repository.Runs(tx).queued_for_version(event.version_id), deps)
