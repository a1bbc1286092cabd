"""A version was published: make its packages ready, once per lock, saying each step; ask where a yes is due."""

from __future__ import annotations

import threading
from typing import Literal

from services.executor import repository
from services.executor.deps import Deps
from services.executor.environments import sentences
from services.executor.handlers.starts import wake_waiting
from services.executor.ports import Asking, Wish
from shared.bus.dispatch import Failed, Job, add_claim
from shared.errors import NotYet
from shared.events.environment import (
    EnvironmentAsked,
    EnvironmentFailed,
    EnvironmentProgressed,
    EnvironmentReady,
)
from shared.events.permission import PackagesDecided
from shared.events.plan import VersionPublished
from shared.ids import derived
from shared.records.executor import EnvironmentRecord, PermissionRequest
from shared.records.planner import Version
from shared.store.port import Tx

NOTHING = "env_none"
_PAUSE_S = 0.1  # between two sentences: every one is a commit that people watch


class EnvironmentJob(Job):
    """approved: `name==version` of what this workspace has said yes to, for this version."""

    version_id: str
    conversation_id: str
    workspace_id: str
    packages: tuple[str, ...]
    lock: str | None
    language: Literal["ko", "en"] = "ko"
    approved: tuple[str, ...] = ()


class Built(Job):
    """environment_id "": nothing was built; `packages` need a yes first, `reasons` say why."""

    environment_id: str
    seconds: float = 0
    size_bytes: int = 0
    own: bool = False
    packages: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


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
    return _job_of(version, event.conversation_id, ())


def _job_of(version: Version, conversation_id: str, approved: tuple[str, ...]) -> EnvironmentJob:
    return EnvironmentJob(
        version_id=version.id,
        conversation_id=conversation_id,
        workspace_id=version.workspace_id,
        packages=version.agent_file.agent.packages,
        lock=version.lock,
        language=version.agent_file.agent.language,
        approved=approved,
    )


def do_environment(job: EnvironmentJob, deps: Deps) -> Built:
    """What exists is not made again, so this is safe to repeat after a death."""
    started = deps.clock.monotonic()
    wish = Wish(
        packages=job.packages,
        workspace_id=job.workspace_id,
        lock=job.lock or "",
        approved=frozenset(job.approved),
        language=job.language,
    )
    found = deps.builder.build(wish, _Progress(job, deps).say)
    seconds = deps.clock.monotonic() - started
    if isinstance(found, Asking):
        return Built(environment_id="", seconds=seconds, packages=found.packages, reasons=found.reasons)
    return Built(
        environment_id=found.environment_id, seconds=seconds, size_bytes=found.size_bytes, own=found.own
    )


class _Progress:
    """Posts a few sentences a second, and the last of all."""

    def __init__(self, job: EnvironmentJob, deps: Deps) -> None:
        self._job, self._deps = job, deps
        self._lock = threading.Lock()
        self._last = -1.0

    def say(self, text: str, done: int, total: int) -> None:
        now = self._deps.clock.monotonic()
        with self._lock:
            if now - self._last < _PAUSE_S and not (total and done == total):
                return
            self._last = now
        event = EnvironmentProgressed(
            version_id=self._job.version_id,
            conversation_id=self._job.conversation_id,
            text=text,
            done=done,
            total=total,
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
    if not outcome.environment_id:
        _ask(tx, job, outcome, deps)
        return
    record = EnvironmentRecord(
        id=outcome.environment_id,
        workspace_id=job.workspace_id if outcome.own else "",
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


def _ask(tx: Tx, job: EnvironmentJob, found: Built, deps: Deps) -> None:
    """Runs of the version wait until a person has answered; the same question is asked once."""
    version = _version(job.version_id, deps)
    text = sentences.question(found.reasons)
    request = PermissionRequest(
        id=derived("prm", job.version_id, *found.packages),
        workspace_id=job.workspace_id,
        run_id="",
        agent_id=version.agent_id,
        kind="package",
        version_id=version.id,
        packages=found.packages,
        reasons=found.reasons,
        status="open",
        sentence=text,
        host="",
        port=0,
        method="",
        path="",
        at=deps.now(),
    )
    if repository.find_permission(tx, request.id) is not None:
        return
    tx.create(repository.PERMISSIONS, request.id, request.to_doc())
    tx.emit(
        EnvironmentAsked(
            version_id=version.id,
            conversation_id=job.conversation_id,
            permission_request_id=request.id,
            packages=found.packages,
            reasons=found.reasons,
        )
    )


def on_packages_decided(event: PackagesDecided, tx: Tx, deps: Deps) -> None:
    """Yes: building goes on with what this version has been allowed so far. No: it ends with a sentence."""
    request = repository.find_permission(tx, event.permission_request_id)
    if request is None:
        raise NotYet("The question is not known yet.")
    if request.status != "open" or request.kind != "package":
        return
    allowed = event.decision == "allow"
    request = request.but(status="allowed" if allowed else "denied")
    tx.put(repository.PERMISSIONS, request.id, request.to_doc())
    version = _version(request.version_id, deps)
    if not allowed:
        _refuse(tx, version, sentences.denied(request.packages, version.agent_file.agent.language))
        return
    before = repository.packages_allowed(tx, version.workspace_id, version.id)
    approved = tuple(sorted({*before, *request.packages}))
    job = _job_of(version, version.conversation_id, approved)
    add_claim(tx, derived("claim", "environment", request.id), VersionPublished, job, deps.now())


def expire_package_questions(tx: Tx, open_since: str, deps: Deps) -> None:
    """Questions asked before `open_since` count as answered with no."""
    for request in repository.open_package_questions(tx):
        if request.at < open_since:
            tx.put(repository.PERMISSIONS, request.id, request.but(status="expired").to_doc())
            version = _version(request.version_id, deps)
            _refuse(tx, version, sentences.unanswered(request.packages, version.agent_file.agent.language))


def _refuse(tx: Tx, version: Version, text: str) -> None:
    tx.emit(EnvironmentFailed(version_id=version.id, conversation_id=version.conversation_id, text=text))


def _version(version_id: str, deps: Deps) -> Version:
    document = deps.planner.get("versions", version_id)
    if document is None:
        raise NotYet("The version is not readable yet.")
    return Version.from_doc(document.data)
