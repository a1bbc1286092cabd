"""What people say: kept first, answered when the ledger has paid."""

from __future__ import annotations

from datetime import timedelta

from services.planner import repository
from services.planner.builder import breaker, saying
from services.planner.deps import Deps
from services.planner.meter import close_lease
from services.planner.model import Build, Work, say, title_of
from services.planner.repository import Entry
from shared.clock import moment
from shared.errors import NotYet
from shared.events.clock import TimeTicked
from shared.events.conversation import ConversationStopRequested, MessageReceived, TurnRefused
from shared.records.planner import Conversation
from shared.store.port import Tx

_REMEMBERED = 100  # decision: far more messages than money can still be on its way for
_LONGEST = timedelta(minutes=10)  # decision: looks take ≤ 40 s, a turn ≤ 5 minutes


def on_message_received(event: MessageReceived, tx: Tx, deps: Deps) -> None:
    now = deps.now()
    conversation = repository.find_conversation(tx, event.conversation_id)
    if conversation is None:
        conversation = Conversation(
            id=event.conversation_id,
            workspace_id=tx.cause.workspace_id,
            title=title_of(event.text),
            language=event.language,
            timezone=event.timezone,
            state="thinking",
            engine=deps.engine_for(tx.cause.workspace_id),
            agent_id=event.agent_id,
            created_at=now,
            updated_at=now,
        )
    elif conversation.engine == "recipes":
        conversation = conversation.but(engine=deps.engine_for(tx.cause.workspace_id))
    build = repository.find_build(tx, event.conversation_id) or Build(
        id=event.conversation_id,
        workspace_id=tx.cause.workspace_id,
        language=event.language,
        timezone=event.timezone,
    )
    messages = (*build.messages, event.text) if event.text else build.messages
    entries: list[Entry] = []
    if event.text:
        entries.append(("text", "person", {"text": event.text}))
    if event.answers:
        _note_answers(tx, conversation.id, event.answers)
        if not event.text:
            entries.append(("text", "person", {"text": _shown(tx, conversation.id, event.answers)}))
    repository.save_build(
        tx,
        build.model_copy(
            update={
                "messages": messages,
                "answers": {**build.answers, **event.answers},
                "secret_names": tuple(dict.fromkeys((*build.secret_names, *event.secret_names))),
                "import_key": event.import_key or build.import_key,
                "message_id": event.message_id,
                "known_messages": (*build.known_messages, event.message_id)[-_REMEMBERED:],
                "looking": None,  # what an older message wanted to see starts no turn that nobody paid for
                "awaited": (),
                "stopped": False,
                "work": _told(build.work, event, len(messages)),
            }
        ),
    )
    repository.save(tx, conversation.but(state="thinking", problem=None), entries, now)


def _told(work: Work, event: MessageReceived, messages: int) -> Work:
    work = saying.interrupted(breaker.afresh(work), event.text, event.answers, messages)
    if event.run_id is None:
        return work
    return work.but(
        phase="code",
        repairs=event.run_id,
        trials=(),
        unsure=(),
        tested="",
        files={},
        nudge=saying.REPAIR,
        exchanges=event.exchanges,
    )


def _note_answers(tx: Tx, conversation_id: str, answers: dict[str, str]) -> None:
    question = repository.last_question(tx, conversation_id)
    if question is None:
        return
    known = question.data.get("answered") or {}
    updated = question.but(data={**question.data, "answered": {**known, **answers}})
    tx.put(repository.ENTRIES, updated.id, updated.to_doc())


def _shown(tx: Tx, conversation_id: str, answers: dict[str, str]) -> str:
    """The answers as the person saw them: a choice's label rather than its value."""
    question = repository.last_question(tx, conversation_id)
    labels: dict[tuple[str, str], str] = {}
    for asked in question.data.get("questions", []) if question else []:
        for choice in asked.get("choices", []):
            labels[(asked["id"], choice["value"])] = choice["label"]
    return " · ".join(labels.get((id, value), value) for id, value in answers.items())


def on_turn_refused(event: TurnRefused, tx: Tx, deps: Deps) -> None:
    conversation = repository.find_conversation(tx, event.conversation_id)
    build = repository.find_build(tx, event.conversation_id)
    if conversation is None or build is None:
        raise NotYet("The conversation is not known yet.")
    if not build.knows(event.message_id):
        raise NotYet("The message is not known yet.")
    if build.message_id != event.message_id or build.stopped:
        return
    entries: list[Entry] = [("result", "builder", {"text": event.reason, "state": "failed"})]
    repository.save(tx, conversation.but(state="failed", problem=event.reason), entries, deps.now())


def on_stop_requested(event: ConversationStopRequested, tx: Tx, deps: Deps) -> None:
    conversation = repository.find_conversation(tx, event.conversation_id)
    build = repository.find_build(tx, event.conversation_id)
    if conversation is None or build is None:
        raise NotYet("The conversation is not known yet.")
    if conversation.state not in ("thinking", "asking", "proposed", "building", "testing"):
        return
    _stop(tx, conversation, build, say("stopped", conversation.language), deps)


def _stop(tx: Tx, conversation: Conversation, build: Build, text: str, deps: Deps) -> None:
    close_lease(tx, build.lease_id)
    repository.save_build(tx, build.model_copy(update={"stopped": True, "lease_id": None, "looking": None}))
    entries: list[Entry] = [("result", "builder", {"text": text, "state": "stopped"})]
    repository.save(tx, conversation.but(state="stopped", problem=text), entries, deps.now())


def on_time_ticked(event: TimeTicked, tx: Tx, deps: Deps) -> None:
    """A conversation that has been thinking for ten minutes will not answer any more: say so."""
    now = deps.clock.now()
    for found in repository.conversations_in(tx, "thinking"):
        if now - moment(found.updated_at) < _LONGEST:
            continue
        conversation = repository.find_conversation(tx, found.id)
        build = repository.find_build(tx, found.id)
        if conversation is not None and build is not None:
            _stop(tx, conversation, build, say("overdue", conversation.language), deps)
            return
