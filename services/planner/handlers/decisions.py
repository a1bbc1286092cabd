"""The person decides: allow, not now, change a detail, switch on."""

from __future__ import annotations

from pydantic import ValidationError

from services.planner import repository
from services.planner.builder import breaker, saying
from services.planner.builder.tools import PLAN
from services.planner.bundles import Draft, stored
from services.planner.deps import Deps
from services.planner.handlers import modelled, proposals
from services.planner.model import Build, Done, Pending, edited, say
from services.planner.repository import Entry
from shared.agentfile import bundle, toml
from shared.agentfile.schedule import check_schedule
from shared.bus.dispatch import Failed, Job
from shared.errors import BadRequest, NotYet
from shared.events.agent import AgentChanged
from shared.events.plan import PlanDecided, PlanEdited, VersionPublished
from shared.records.planner import Conversation, Plan
from shared.store.port import Tx


def on_plan_decided(event: PlanDecided, tx: Tx, deps: Deps) -> None:
    plan = repository.find_plan(tx, event.plan_id)
    conversation = repository.find_conversation(tx, event.conversation_id)
    if plan is None or conversation is None:
        raise NotYet("The plan is not known yet.")
    if plan.status != "proposed" or plan.manifest_hash != event.manifest_hash:
        return
    now = deps.now()
    build = repository.find_build(tx, event.conversation_id)
    if event.decision == "reject":
        repository.save_plan(tx, plan.but(status="rejected"))
        if build is not None and (waiting := build.work.waiting(PLAN)):
            work = build.work.done(Done(call_id=waiting.call_id, text=saying.REJECTED))
            repository.save_build(tx, build.model_copy(update={"work": work}))
        text: Entry = ("text", "builder", {"text": say("rejected", conversation.language)})
        repository.save(tx, conversation.but(state="stopped"), [text], now)
        return
    repository.save_plan(tx, plan.but(status="approved"))
    if build is not None and (waiting := build.work.waiting(PLAN)):
        _write_code(tx, conversation, build, plan, waiting, event.grant_id, deps)
        return
    if build is not None:
        repository.save_build(tx, build.model_copy(update={"grant_id": event.grant_id}))
    progress = {"step": "build", "text": say("building", conversation.language), "done": 0, "total": 0}
    files = {
        "step": "files",
        "text": "",
        "files": list(_files(tx, event.version_id)),
        "version_id": event.version_id,
    }
    entries: list[Entry] = [("progress", "builder", progress), ("progress", "builder", files)]
    repository.save(tx, conversation.but(state="building", version_id=event.version_id), entries, now)
    tx.emit(
        VersionPublished(
            version_id=event.version_id, agent_id=event.agent_id, conversation_id=event.conversation_id
        )
    )


def _write_code(
    tx: Tx,
    conversation: Conversation,
    build: Build,
    plan: Plan,
    waiting: Pending,
    grant_id: str | None,
    deps: Deps,
) -> None:
    """A plan of a model has no code yet: writing it is what comes next."""
    work = breaker.afresh(build.work.done(Done(call_id=waiting.call_id, text=saying.allowed(plan))))
    build = build.model_copy(update={"grant_id": grant_id, "work": work.but(phase="code"), "stopped": False})
    progress = {"step": "build", "text": say("writing", conversation.language), "done": 0, "total": 0}
    repository.save(
        tx, conversation.but(state="building", problem=None), [("progress", "builder", progress)], deps.now()
    )
    modelled.resume(tx, build, deps, conversation.language)


def _files(tx: Tx, version_id: str) -> tuple[str, ...]:
    version = repository.find_version(tx, version_id)
    return version.files if version else ()


def on_agent_changed(event: AgentChanged, tx: Tx, deps: Deps) -> None:
    """The conversation shows whether its agent is on."""
    conversation = repository.find_conversation(tx, event.conversation_id)
    if conversation is None:
        return
    entries: list[Entry] = []
    if event.by_repair:
        entries.append(("text", "builder", {"text": say("went_live", conversation.language)}))
    state = conversation.state
    if state in ("ready", "active"):
        state = "active" if event.enabled and not event.deleted else "ready"
    if entries or conversation.state != state:
        repository.save(tx, conversation.but(state=state), entries, deps.now())


class EditJob(Job):
    plan_id: str
    conversation_id: str
    changes: dict[str, object]


def claim_edit(event: PlanEdited, tx: Tx, deps: Deps) -> EditJob | None:
    plan = repository.find_plan(tx, event.plan_id)
    if plan is None:
        raise NotYet("The plan is not known yet.")
    if plan.status != "proposed":
        return None
    return EditJob(plan_id=event.plan_id, conversation_id=event.conversation_id, changes=event.changes)


def do_edit(job: EditJob, deps: Deps) -> Draft:
    """The same code under a changed agent file. Raises BadRequest when the change does not fit."""
    plan = repository.find_plan(deps.store, job.plan_id)
    version = repository.find_version(deps.store, plan.version_id) if plan else None
    if plan is None or version is None:
        raise NotYet("The plan is not known yet.")
    try:
        file = edited(plan.agent_file, job.changes)
    except ValidationError as error:
        raise BadRequest(str(error.errors()[0]["msg"]), code="bad_change") from error
    if file.schedule is not None:
        check_schedule(file.schedule, file.agent.language)
    files = {**bundle.unpack(deps.blobs.get(version.bundle_key)), "agent.toml": toml.dump(file).encode()}
    key, digest = stored(files, deps.blobs)
    return Draft(
        agent_file=file,
        bundle_key=key,
        bundle_sha256=digest,
        files=tuple(sorted(files)),
        lock=version.lock,
        summary=plan.summary,
        steps=plan.steps,
        packages=plan.packages,
        found=plan.found,
        wont=plan.wont,
        seconds=plan.estimate.seconds_per_run,
        author_words=plan.author_words,
    )


def record_edit(job: EditJob, outcome: Draft | Failed, tx: Tx, deps: Deps) -> None:
    conversation = repository.find_conversation(tx, job.conversation_id)
    if conversation is None or conversation.plan_id != job.plan_id:
        return
    if isinstance(outcome, Failed):
        entry: Entry = ("text", "builder", {"text": outcome.detail})
        repository.save(tx, conversation, [entry], deps.now())
        return
    proposals.record(tx, conversation, outcome, deps)
