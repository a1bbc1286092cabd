"""Talking: what is secret in what is said goes to the vault first; the rest goes out as a fact."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Response
from pydantic import Field

from services.gateway.model.documents import Request
from services.gateway.model.live import LiveFrame, LiveView
from services.gateway.model.words import Language, language_of
from services.gateway.repository.changes import note_changes
from services.gateway.repository.feeds import entries_after
from services.gateway.repository.secrets import SecretRepository
from services.gateway.repository.shapes import AGENTS, REQUESTS
from services.gateway.routes.answers import (
    Answer,
    Api,
    Body,
    ById,
    Id,
    PageQuery,
    cause,
    deps,
    language,
    refusal,
    scope,
)
from services.gateway.routes.connections import engine
from services.gateway.routes.live import frame, last_seen, live
from services.gateway.routes.once import made_id
from shared.errors import BadRequest, NotFound
from shared.events.conversation import ConversationStopRequested, MessageReceived
from shared.records.executor import Run
from shared.records.gateway import Agent
from shared.records.planner import Conversation, ConversationEntry, ConversationLive, ConversationState, Plan
from shared.store.port import Reader, Tx

api = Api("conversations")
api.also_describe(LiveFrame)

_TEXT_LIMIT = 20_000
_ENTRIES = "conversation_entries"
_LIVE = "conversation_live"


class FirstMessage(Body):
    """agent_id: the agent this conversation changes. timezone: an IANA name."""

    text: str
    agent_id: str | None = Field(None, max_length=200)
    timezone: str | None = Field(None, max_length=100)
    language: Language | None = None


class Message(Body):
    """Text, answers to questions, or both."""

    text: str = ""
    answers: dict[str, str] = {}


class ConversationLine(Answer):
    id: str
    title: str
    state: ConversationState
    agent_id: str | None
    updated_at: str


class ConversationList(Answer):
    items: tuple[ConversationLine, ...]
    next_cursor: str | None


class ConversationView(Conversation):
    """A conversation with everything its screen needs at once."""

    messages: tuple[ConversationEntry, ...]
    plan: Plan | None
    test_run: Run | None


@api.post("/conversations", Id, 202)
def post_conversation(body: FirstMessage) -> Id:
    _check_text(body.text)
    timezone = _checked_timezone(body.timezone)
    agent = None
    if body.agent_id:
        agent = scope().get(deps().store, AGENTS, body.agent_id, Agent, missing="no_agent")
    spoken = body.language or language_of(body.text, language())
    conversation_id = made_id(deps(), "conv")

    def begin(tx: Tx) -> None:
        if tx.get(REQUESTS, conversation_id) is not None:
            return
        text, names = vault_of().keep_found(tx, body.text, spoken, conversation_id)
        request = Request(
            id=conversation_id,
            workspace_id=scope().workspace_id,
            kind="conversation",
            agent_id=agent.id if agent else None,
            text=text,
            language=spoken,
            timezone=timezone,
            at=deps().now(),
        )
        tx.create(REQUESTS, request.id, request.to_doc())
        tx.emit(
            MessageReceived(
                conversation_id=conversation_id,
                message_id=deps().ids.new("msg"),
                text=text,
                secret_names=names,
                agent_id=request.agent_id,
                language=spoken,
                timezone=timezone,
            )
        )
        note_changes(tx, deps().now(), ("conversation", conversation_id))

    deps().store.transact(begin, cause=cause())
    return Id(id=conversation_id)


@api.get("/conversations", ConversationList)
def list_conversations(query: PageQuery) -> ConversationList:
    found, cursor = scope().page(
        deps().readers["planner"], "conversations", Conversation, order_by="updated_at", paging=query.paging()
    )
    lines = (
        ConversationLine.model_validate(c.model_dump(include=set(ConversationLine.model_fields)))
        for c in found
    )
    return ConversationList(items=tuple(lines), next_cursor=cursor)


@api.get("/conversations/<string:id>", ConversationView)
def get_conversation(path: ById) -> ConversationView:
    conversation = _conversation(path.id)
    planner = deps().readers["planner"]
    entries = entries_after(planner, _ENTRIES, conversation.id, ConversationEntry, 0)
    # what was written since belongs to another state than the one just read
    messages = tuple(entry for entry in entries if entry.seq < conversation.next_seq)
    plan = scope().find(planner, "plans", conversation.plan_id, Plan) if conversation.plan_id else None
    run_id = conversation.test_run_id
    run = scope().find(deps().readers["executor"], "runs", run_id, Run) if run_id else None
    return ConversationView.model_validate(
        {**conversation.model_dump(), "messages": messages, "plan": plan, "test_run": run}
    )


@api.post("/conversations/<string:id>/messages", Id, 202)
def post_message(path: ById, body: Message) -> Id:
    conversation = _conversation(path.id)
    if not body.answers or body.text:
        _check_text(body.text)
    if (
        sum(len(key) + len(value) for key, value in body.answers.items()) > _TEXT_LIMIT
        or len(body.answers) > 50
    ):
        raise refusal(BadRequest, "long_message")
    asked = _questions(deps().readers["planner"], conversation.id) if body.answers else {}
    message_id = made_id(deps(), "msg")

    def say(tx: Tx) -> None:
        vault = vault_of()
        text, names = vault.keep_found(tx, body.text, conversation.language, conversation.id)
        answers = {}
        for question_id, value in body.answers.items():
            answers[question_id], more = vault.keep_found(
                tx, value, conversation.language, conversation.id, asked.get(question_id, "")
            )
            names += more
        tx.emit(
            MessageReceived(
                conversation_id=conversation.id,
                message_id=message_id,
                text=text,
                answers=answers,
                secret_names=tuple(dict.fromkeys(names)),
                agent_id=conversation.agent_id,
                language=conversation.language,
                timezone=conversation.timezone,
            )
        )
        note_changes(tx, deps().now(), ("conversation", conversation.id))

    deps().store.transact(say, cause=cause())
    return Id(id=message_id)


@api.post("/conversations/<string:id>/stop", Id, 202)
def post_stop(path: ById) -> Id:
    conversation = _conversation(path.id)
    event = ConversationStopRequested(conversation_id=conversation.id)
    deps().store.transact(lambda tx: tx.emit(event), cause=cause())
    return Id(id=conversation.id)


@api.stream("/conversations/<string:id>/events")
def stream_conversation(path: ById) -> Response:
    _conversation(path.id)
    watched = tuple(f"{name}/{path.id}" for name in ("conversations", _ENTRIES, _LIVE))
    watch = deps().watch("planner", watched)
    return live(watch, _Tail(deps().readers["planner"], path.id, last_seen()).poll)


class _Tail:
    """Where one screen is in one conversation."""

    def __init__(self, planner: Reader, conversation_id: str, seq: int) -> None:
        self._planner = planner
        self._id = conversation_id
        self._seq = seq
        self._version = ""
        self._live = LiveView()
        self._live_version = ""

    def poll(self) -> Iterator[str]:
        # The conversation is read first: what it says about its entries is then already readable.
        found = self._planner.get("conversations", self._id)
        written = self._planner.get(_LIVE, self._id)
        for entry in entries_after(self._planner, _ENTRIES, self._id, ConversationEntry, self._seq):
            self._seq = entry.seq
            yield frame("entry", entry.model_dump_json(), entry.seq)
        # Entries go first: what a turn came to is there when the end of its writing is told.
        if written is not None and written.version != self._live_version:
            self._live_version = written.version
            for piece in self._live.frames(ConversationLive.from_doc(written.data)):
                yield frame("live", piece.model_dump_json())
        if found is not None and found.version != self._version:
            self._version = found.version
            yield frame("conversation", Conversation.from_doc(found.data).model_dump_json())


def vault_of() -> SecretRepository:
    return SecretRepository(scope(), deps().vault, deps().ids, deps().now())


def _conversation(id: str) -> Conversation:
    """The planner's, or what was promised while the planner has not seen it yet."""
    found = scope().find(deps().readers["planner"], "conversations", id, Conversation)
    if found is not None:
        return found
    request = scope().find(deps().store, REQUESTS, id, Request)
    if request is None or request.kind != "conversation":
        raise refusal(NotFound, "no_conversation")
    return Conversation(
        id=request.id,
        workspace_id=request.workspace_id,
        title=request.text[:60],
        language=request.language,
        timezone=request.timezone,
        state="thinking",
        engine=engine(scope()),
        agent_id=request.agent_id,
        created_at=request.at,
        updated_at=request.at,
    )


def _questions(planner: Reader, conversation_id: str) -> dict[str, str]:
    """Question id -> its text, of everything asked so far."""
    asked: dict[str, str] = {}
    for entry in entries_after(planner, _ENTRIES, conversation_id, ConversationEntry, 0):
        if entry.kind == "question":
            asked.update({str(q.get("id")): str(q.get("text", "")) for q in entry.data.get("questions", ())})
    return asked


def _check_text(text: str) -> None:
    if not text.strip():
        raise refusal(BadRequest, "empty_message", {"text": "required"})
    if len(text) > _TEXT_LIMIT:
        raise refusal(BadRequest, "long_message", {"text": "too long"})


def _checked_timezone(name: str | None) -> str:
    if not name:
        return "Asia/Seoul" if language() == "ko" else "UTC"
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise refusal(BadRequest, "bad_timezone", {"timezone": "unknown"}) from error
    return name
