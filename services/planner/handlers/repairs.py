"""A mended agent must also do on the recording of its last good day what it did then."""

from __future__ import annotations

from datetime import timedelta

from services.planner import repository
from services.planner.builder.acting import files_digest
from services.planner.builder.tools import TEST
from services.planner.deps import Deps
from services.planner.handlers import modelled
from services.planner.model import Build, say
from shared.clock import stamp
from shared.errors import NotYet
from shared.events.run import RunFinished, RunRequested
from shared.ids import derived
from shared.records.executor import Run
from shared.records.planner import Conversation
from shared.store.port import Tx

_QUEUE_LIMIT = timedelta(minutes=15)  # a person is watching
# What a right fix may not change on old pages. Which requests it makes is its own affair, as far as they are recorded.
_RESULTS = frozenset({"output", "delivery", "state", "end", "tape"})


def replayed(tx: Tx, conversation: Conversation, build: Build, event: RunFinished, deps: Deps) -> bool:
    """Asks for the replay; False when there is no recording of a good day, or it was asked for already."""
    agent = repository.agent_of(deps.gateway, conversation)
    healthy = repository.last_healthy(deps.executor, agent) if agent is not None else None
    if agent is None or healthy is None or build.work.replayed:
        return False
    run_id = derived("run", event.version_id, "replay", healthy.id)
    repository.save_build(tx, build.model_copy(update={"work": build.work.but(replayed=run_id)}))
    now = deps.clock.now()
    text = say("replaying", conversation.language)
    progress = {"step": "replay", "text": text, "run_id": run_id}
    repository.save(tx, conversation, [("progress", "builder", progress)], stamp(now))
    tx.emit(
        RunRequested(
            run_id=run_id,
            agent_id=agent.id,
            version_id=event.version_id,
            kind="replay",
            grant_id=build.grant_id,
            conversation_id=conversation.id,
            input=healthy.input,
            replay_of=healthy.id,
            requested_at=stamp(now),
            deadline_at=stamp(now + _QUEUE_LIMIT),
        )
    )
    return True


def on_replay_finished(event: RunFinished, tx: Tx, deps: Deps) -> None:
    """Replays that people ask for are none of ours."""
    build = repository.find_build(tx, event.conversation_id or "")
    conversation = repository.find_conversation(tx, event.conversation_id or "")
    if build is None or conversation is None or build.work.replayed != event.run_id:
        return
    if build.work.waiting(TEST) is None:
        return
    document = deps.executor.get("runs", event.run_id)
    if document is None:
        raise NotYet("The replay is not readable yet.")
    run = Run.from_doc(document.data)
    changed = [d.text for d in run.differences if d.kind in _RESULTS]
    same = run.status == "succeeded" and run.same is not None and not changed
    work, language = build.work, conversation.language
    if same:
        work = work.but(tested=files_digest(work), failed_tests=0)
    else:
        why = " ".join(changed)[:2_000] or event.reason_text
        told = f"Today's pages were read well, but on the recording of the last good day the result changed: {why}"
        work = work.but(tested="", failed_tests=work.failed_tests + 1, nudge=told)
    text = say("tested" if same else "not_the_same", language)
    data = {"step": "test", "text": text, "run_id": event.run_id, "passed": same}
    repository.save(tx, conversation.but(state="building"), [("progress", "builder", data)], deps.now())
    modelled.resume(tx, build.model_copy(update={"work": work}), deps, language)
