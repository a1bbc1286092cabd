"""One turn: the engine reads what was said and seen, and asks, looks, proposes or refuses."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import asdict, dataclass
from zoneinfo import ZoneInfo

from services.planner import meter as meters
from services.planner import repository
from services.planner.builder.tools import LOOK
from services.planner.builder.turn import OVERTAKEN, Answered, HaltedTurn, ModelTurn, Troubled, take_turn
from services.planner.bundles import Draft
from services.planner.deps import Deps
from services.planner.handlers import modelled, proposals
from services.planner.handlers.imports import read_import
from services.planner.handlers.jobs import TurnJob
from services.planner.meter import Meter
from services.planner.model import Build, say, talk_state
from services.planner.recipes.found import parse_look
from services.planner.recipes.program import look_program
from services.planner.recipes.talk import Ask, Look, LookFound, Propose, Refuse, Step
from services.planner.repository import Entry
from shared.agentfile import bundle
from shared.bus.dispatch import Failed
from shared.errors import BadRequest, DecodeError, NotYet
from shared.events.conversation import LookFinished, LookRequested, TurnFunded
from shared.events.usage import LeaseClosed
from shared.ids import derived
from shared.records.planner import Conversation
from shared.store.port import Tx

NOTHING_READ = "Nothing could be read: the look itself failed."
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Turned:
    step: Step | Draft
    looks: dict[str, dict[str, object]]
    look_bundle_key: str = ""


def claim_turn_funded(event: TurnFunded, tx: Tx, deps: Deps) -> TurnJob | None:
    """Only the newest message is answered; money for an older one goes straight back."""
    build = repository.find_build(tx, event.conversation_id)
    if build is None:
        raise NotYet("The message is not known yet.")
    if not build.knows(event.message_id):
        raise NotYet("The message is not known yet.")
    if build.message_id != event.message_id or build.stopped:
        tx.emit(LeaseClosed(lease_id=event.lease_id))
        return None
    meters.close_lease(tx, build.lease_id)  # of a turn that was overtaken by this message
    meter = Meter(
        id=event.lease_id,
        workspace_id=build.workspace_id,
        conversation_id=build.id,
        tokens=event.tokens,
        expires_at=event.expires_at,
    )
    meters.save_meter(tx, meter)
    repository.save_build(tx, build.model_copy(update={"lease_id": event.lease_id}))
    return TurnJob(conversation_id=build.id, message_id=event.message_id)


def claim_look_finished(event: LookFinished, tx: Tx, deps: Deps) -> TurnJob | None:
    build = repository.find_build(tx, event.conversation_id)
    if build is None or build.looking != event.look_id or build.stopped or build.message_id is None:
        return None
    job = TurnJob(
        conversation_id=build.id,
        message_id=build.message_id,
        look_key=event.result_key,
        look_failed=event.result_key is None,
        look_problem=event.problem,
    )
    if not build.work.waiting(LOOK):
        return job
    problem = event.problem or ("" if event.result_key else NOTHING_READ)
    work = build.work.but(look_key=event.result_key, look_problem=problem)
    repository.save_build(tx, build.model_copy(update={"work": work, "looking": None, "awaited": ()}))
    return None if modelled.unfinished(work) else job


def do_turn(job: TurnJob, deps: Deps) -> Turned | ModelTurn:
    build = repository.find_build(deps.store, job.conversation_id)
    conversation = repository.find_conversation(deps.store, job.conversation_id)
    if build is None or conversation is None:
        raise NotYet("The conversation is not known yet.")
    if build.import_key is not None:
        return Turned(read_import(deps.blobs.get(build.import_key), build, deps.blobs), {})
    if conversation.engine == "claude":
        if build.message_id != job.message_id or build.stopped:
            return OVERTAKEN  # asked again after a wait: what was said since is answered by another turn, and paid for
        return take_turn(conversation, build, deps.bench)
    if job.look_problem:
        raise BadRequest(job.look_problem, code="cannot_look")
    looks = {**build.looks, **_seen(job, build, deps)}
    today = deps.clock.now().astimezone(ZoneInfo(build.timezone)).date()
    step = deps.engine.turn(talk_state(build.model_copy(update={"looks": looks}), today))
    if isinstance(step, Propose):
        return Turned(proposals.draft(step, build, deps.blobs), looks)
    key = ""
    if isinstance(step, Look):
        data = bundle.pack({**look_program(), "agent.toml": b""})
        key = f"planner/looks/{hashlib.sha256(data).hexdigest()}.zip"
        deps.blobs.put(key, data)
    return Turned(step, looks, key)


def _seen(job: TurnJob, build: Build, deps: Deps) -> dict[str, dict[str, object]]:
    """What was found per address. What looking did not answer counts as seen in vain, or the engine would
    look for ever."""
    if job.look_key is None and not job.look_failed:
        return {}
    found: dict[str, LookFound] = {}
    if job.look_key is not None:
        try:
            found = parse_look(deps.blobs.get(job.look_key))
        except DecodeError as error:
            log.warning("what looking found cannot be read: %s", error.detail)
    in_vain = {a: LookFound(a, ok=False, problem="refused") for a in build.awaited if a not in found}
    return {address: asdict(look) for address, look in (found | in_vain).items()}


def record_turn(job: TurnJob, outcome: Turned | ModelTurn | Failed, tx: Tx, deps: Deps) -> None:
    build = repository.find_build(tx, job.conversation_id)
    conversation = repository.find_conversation(tx, job.conversation_id)
    if build is None or conversation is None:
        return
    if isinstance(outcome, Answered | Troubled | HaltedTurn):
        modelled.record(job, outcome, tx, conversation, build, deps)
        return
    if build.message_id != job.message_id or build.stopped:
        return
    now = deps.now()
    if isinstance(outcome, Failed):
        _close(tx, build.model_copy(update={"import_key": None}))
        text = say("broken", build.language) if outcome.code == "internal" else outcome.detail
        entries: list[Entry] = [("result", "builder", {"text": text, "state": "failed"})]
        repository.save(tx, conversation.but(state="failed", problem=text), entries, now)
        return
    build = build.model_copy(update={"looks": outcome.looks, "looking": None, "awaited": ()})
    step = outcome.step
    if isinstance(step, Look):
        _look(tx, conversation, build, step, outcome.look_bundle_key, deps)
    elif isinstance(step, Ask):
        _close(tx, build)
        _ask(tx, conversation, step, now)
    elif isinstance(step, Refuse):
        _close(tx, build)
        _refuse(tx, conversation, step, now)
    elif isinstance(step, Draft):
        _close(tx, build.model_copy(update={"import_key": None}))
        proposals.record(tx, conversation, step, deps)


def _close(tx: Tx, build: Build) -> None:
    """The answer is complete."""
    meters.close_lease(tx, build.lease_id)
    repository.save_build(tx, build.model_copy(update={"lease_id": None}))


def _look(tx: Tx, conversation: Conversation, build: Build, step: Look, bundle_key: str, deps: Deps) -> None:
    look_id = derived("look", build.id, build.message_id or "", *step.addresses)
    repository.save_build(tx, build.model_copy(update={"looking": look_id, "awaited": step.addresses}))
    text = say("looking", conversation.language, n=len(step.addresses))
    progress = {"step": "look", "text": text, "addresses": list(step.addresses), "done": 0, "total": 0}
    repository.save(tx, conversation, [("progress", "builder", progress)], deps.now())
    tx.emit(
        LookRequested(
            conversation_id=build.id, look_id=look_id, bundle_key=bundle_key, addresses=step.addresses
        )
    )


def _ask(tx: Tx, conversation: Conversation, step: Ask, now: str) -> None:
    questions = [
        {
            "id": q.id,
            "text": q.text,
            "kind": q.kind,
            "why": q.why,
            "choices": [{"value": c.value, "label": c.label} for c in q.choices],
        }
        for q in step.questions
    ]
    entries: list[Entry] = []
    if step.note:
        entries.append(("text", "builder", {"text": step.note}))
    entries.append(("question", "builder", {"questions": questions, "answered": None}))
    repository.save(tx, conversation.but(state="asking"), entries, now)


def _refuse(tx: Tx, conversation: Conversation, step: Refuse, now: str) -> None:
    data = {"text": step.text, "state": "failed", "suggestions": list(step.suggestions)}
    repository.save(
        tx, conversation.but(state="failed", problem=step.text), [("result", "builder", data)], now
    )
