"""After the yes: packages, rehearsal, and what it showed."""

from __future__ import annotations

from datetime import timedelta

from services.planner import repository
from services.planner.builder import breaker
from services.planner.builder.acting import files_digest
from services.planner.builder.tools import TEST
from services.planner.deps import Deps
from services.planner.handlers import modelled, proposals, repairs
from services.planner.meter import close_lease
from services.planner.model import Build, Done, Work, say
from services.planner.repository import Entry
from services.planner.trouble import model_trouble
from shared.clock import stamp
from shared.errors import NotYet
from shared.events.environment import (
    EnvironmentAsked,
    EnvironmentFailed,
    EnvironmentProgressed,
    EnvironmentReady,
)
from shared.events.run import RunFinished, RunRequested, RunStarted
from shared.ids import derived
from shared.records.planner import Conversation
from shared.store.port import Tx

_QUEUE_LIMIT = timedelta(minutes=15)  # a person is watching


def on_environment_progressed(event: EnvironmentProgressed, tx: Tx, deps: Deps) -> None:
    conversation = repository.find_conversation(tx, event.conversation_id)
    if conversation is None or conversation.state != "building":
        return
    progress = {"step": "environment", "text": event.text, "done": event.done, "total": event.total}
    repository.save(tx, conversation, [("progress", "builder", progress)], deps.now())


def on_environment_ready(event: EnvironmentReady, tx: Tx, deps: Deps) -> None:
    """Ask for the rehearsal; its run id follows from the version, so asking twice is asking once."""
    conversation = repository.find_conversation(tx, event.conversation_id)
    version = repository.find_version(tx, event.version_id)
    if conversation is None or version is None:
        raise NotYet("The version is not known yet.")
    if conversation.state != "building" or conversation.version_id != event.version_id:
        return
    build = repository.find_build(tx, event.conversation_id)
    run_id = derived("run", version.id, "rehearsal")
    now = deps.clock.now()
    done = {
        "step": "environment",
        "text": say("environment", conversation.language),
        "seconds": event.seconds,
    }
    rehearsal = {"step": "rehearsal", "text": say("rehearsal", conversation.language), "run_id": run_id}
    entries: list[Entry] = [("progress", "builder", done), ("progress", "builder", rehearsal)]
    repository.save(tx, conversation.but(state="testing", test_run_id=run_id), entries, stamp(now))
    tx.emit(
        RunRequested(
            run_id=run_id,
            agent_id=version.agent_id,
            version_id=version.id,
            kind="test",
            grant_id=build.grant_id if build else None,
            input=build.work.test_input if build else None,
            conversation_id=conversation.id,
            tokens=version.agent_file.manifest.tokens.per_run,
            tokens_per_day=version.agent_file.manifest.tokens.per_day,
            requested_at=stamp(now),
            deadline_at=stamp(now + _QUEUE_LIMIT),
        )
    )


def on_environment_asked(event: EnvironmentAsked, tx: Tx, deps: Deps) -> None:
    """The question stands in the conversation; the answer goes to the permission request of that id."""
    conversation = repository.find_conversation(tx, event.conversation_id)
    if conversation is None:
        raise NotYet("The conversation is not known yet.")
    if conversation.state != "building" or conversation.version_id != event.version_id:
        return
    asked = {
        "step": "packages",
        "text": " ".join(event.reasons),
        "permission_request_id": event.permission_request_id,
        "packages": list(event.packages),
        "reasons": list(event.reasons),
    }
    repository.save(tx, conversation, [("progress", "builder", asked)], deps.now())


def on_environment_failed(event: EnvironmentFailed, tx: Tx, deps: Deps) -> None:
    conversation = repository.find_conversation(tx, event.conversation_id)
    if (
        conversation is None
        or conversation.state != "building"
        or conversation.version_id != event.version_id
    ):
        return
    build = repository.find_build(tx, event.conversation_id)
    if build is not None and (waiting := build.work.waiting(TEST)):
        text = f"Nothing was tested: the packages cannot be installed. {event.text}"
        work = build.work.done(Done(call_id=waiting.call_id, text=text, failed=True))
        failed = build.model_copy(update={"work": work.but(failed_tests=work.failed_tests + 1)})
        progress = {"step": "environment", "text": event.text, "done": 0, "total": 0}
        repository.save(tx, conversation, [("progress", "builder", progress)], deps.now())
        modelled.resume(tx, failed, deps, conversation.language)
        return
    entries: list[Entry] = [("result", "builder", {"text": event.text, "state": "failed"})]
    repository.save(tx, conversation.but(state="failed", problem=event.text), entries, deps.now())


def on_run_started(event: RunStarted, tx: Tx, deps: Deps) -> None:
    if event.kind != "test" or event.conversation_id is None:
        return
    conversation = repository.find_conversation(tx, event.conversation_id)
    if conversation is None or conversation.test_run_id != event.run_id or conversation.state != "testing":
        return
    progress = {"step": "started", "text": "", "run_id": event.run_id, "attempt": event.attempt}
    repository.save(tx, conversation, [("progress", "builder", progress)], deps.now())


def on_run_finished(event: RunFinished, tx: Tx, deps: Deps) -> None:
    """A rehearsal that kept its contract makes the version one that can be switched on, numbered from 1."""
    if event.conversation_id is None:
        return
    if event.kind == "replay":
        repairs.on_replay_finished(event, tx, deps)
        return
    conversation = repository.find_conversation(tx, event.conversation_id)
    version = repository.find_version(tx, event.version_id)
    if conversation is None or version is None:
        raise NotYet("The conversation is not known yet.")
    if conversation.test_run_id != event.run_id or version.status != "candidate":
        return
    passed = event.status == "succeeded" and event.outcome == "pending"
    if not passed:
        repository.save_version(tx, version.but(status="failed", rehearsal_run_id=event.run_id))
    build = repository.find_build(tx, event.conversation_id)
    if build is not None and build.work.waiting(TEST):
        _told(tx, conversation, build, event, passed, deps)
    elif passed:
        proposals.promote(tx, conversation, deps)
    else:
        _failed(tx, conversation, event, deps)


def _told(
    tx: Tx, conversation: Conversation, build: Build, event: RunFinished, passed: bool, deps: Deps
) -> None:
    """The model reads what the rehearsal showed and decides whether it is what the person wanted."""
    if passed and build.work.repairs and repairs.tried(tx, conversation, build, event, deps):
        return
    work = build.work
    work = work.but(
        tested=files_digest(work) if passed else "", failed_tests=0 if passed else work.failed_tests + 1
    )
    key = "tested" if passed else "not_ready"
    text = f"{say(key, conversation.language)} {'' if passed else event.reason_text}".strip()
    data = {"step": "test", "text": text, "run_id": event.run_id, "passed": passed}
    if code := breaker.tripped(work):
        data = {"text": f"{text} {model_trouble(code, conversation.language)}", "run_id": event.run_id}
        stopped = build.model_copy(update={"work": work.done(*_results(work, event))})
        repository.save_build(tx, stopped.model_copy(update={"lease_id": None}))
        close_lease(tx, build.lease_id)
        result: Entry = ("result", "builder", {**data, "state": "failed", "code": code})
        repository.save(tx, conversation.but(state="failed", problem=data["text"]), [result], deps.now())
        return
    repository.save(tx, conversation.but(state="building"), [("progress", "builder", data)], deps.now())
    modelled.resume(tx, build.model_copy(update={"work": work}), deps, conversation.language)


def _results(work: Work, event: RunFinished) -> list[Done]:
    """What the model will read when the person has it go on after all."""
    text = f"The test did not pass: {event.reason_text}"
    return [Done(call_id=p.call_id, text=text, failed=True) for p in work.pending if p.tool == TEST]


def _failed(tx: Tx, conversation: Conversation, event: RunFinished, deps: Deps) -> None:
    text = f"{say('not_ready', conversation.language)} {event.reason_text}".strip()
    result = {"text": text, "run_id": event.run_id, "state": "failed"}
    repository.save(
        tx, conversation.but(state="failed", problem=text), [("result", "builder", result)], deps.now()
    )
