"""Facts about a conversation: what was said, what was paid for, what was built from it."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from shared.events.envelope import Event


class SeenExchange(BaseModel):
    """What a run was answered, as its code saw it: secrets are masked. status 0: it got no answer. text: from character
    `start` on, cut; `length` is that of the whole."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    run: Literal["broken", "good"]
    request: str
    status: int
    text: str
    start: int = 0
    length: int = 0


class MessageReceived(Event):
    """A person said something or answered questions.

    text is "" when only answers came; answers maps question id to value. secret_names are vault names put
    in place of secrets found in the text. import_key is the blob of an uploaded agent file, if one came. run_id:
    a run that did not go well; its agent is to be mended. exchanges: what that run read, and the last good one.

    Emitted by: gateway
    Handled by: ledger, planner
    """

    fact: ClassVar[str] = "conversation.message_received.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"gateway"})
    subject_field: ClassVar[str] = "conversation_id"

    conversation_id: str
    message_id: str
    text: str = ""
    answers: dict[str, str] = {}
    secret_names: tuple[str, ...] = ()
    agent_id: str | None = None
    import_key: str | None = None
    run_id: str | None = None
    exchanges: tuple[SeenExchange, ...] = ()
    language: Literal["ko", "en"] = "ko"
    timezone: str = "UTC"


class TurnFunded(Event):
    """A lease covers the answer to one message.

    Emitted by: ledger
    Handled by: planner
    """

    fact: ClassVar[str] = "conversation.turn_funded.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"ledger"})
    subject_field: ClassVar[str] = "conversation_id"

    conversation_id: str
    message_id: str
    lease_id: str
    tokens: int
    expires_at: str


class TurnAwaited(Event):
    """Something that no lease covers is to be answered: a decision, the end of a rehearsal. message_id names the
    answer it belongs to, as in `message_received`.

    Emitted by: planner
    Handled by: ledger
    """

    fact: ClassVar[str] = "conversation.turn_awaited.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"planner"})
    subject_field: ClassVar[str] = "conversation_id"

    conversation_id: str
    message_id: str
    agent_id: str | None = None
    language: Literal["ko", "en"] = "ko"


class TurnRefused(Event):
    """No tokens left for an answer.

    Emitted by: ledger
    Handled by: planner
    """

    fact: ClassVar[str] = "conversation.turn_refused.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"ledger"})
    subject_field: ClassVar[str] = "conversation_id"

    conversation_id: str
    message_id: str
    reason: str


class ConversationStopRequested(Event):
    """The person pressed Stop; what was written stays.

    Emitted by: gateway
    Handled by: planner
    """

    fact: ClassVar[str] = "conversation.stop_requested.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"gateway"})
    subject_field: ClassVar[str] = "conversation_id"

    conversation_id: str


class LookRequested(Event):
    """The planner wants addresses read before it plans: GET only, no secrets, in a sandbox.

    Emitted by: planner
    Handled by: executor
    """

    fact: ClassVar[str] = "conversation.look_requested.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"planner"})
    subject_field: ClassVar[str] = "conversation_id"

    conversation_id: str
    look_id: str
    bundle_key: str
    addresses: tuple[str, ...]


class LookFinished(Event):
    """What looking found. result_key is the blob with the look program's output; None when nothing could be
    read. problem: why this machine cannot look at all, as a sentence that says what to do; empty otherwise.

    Emitted by: executor
    Handled by: planner
    """

    fact: ClassVar[str] = "conversation.look_finished.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"executor"})
    subject_field: ClassVar[str] = "conversation_id"

    conversation_id: str
    look_id: str
    result_key: str | None
    problem: str = ""


class PackagesRequested(Event):
    """The planner wants to know whether the package index has these names.

    Emitted by: planner
    Handled by: executor
    """

    fact: ClassVar[str] = "conversation.packages_requested.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"planner"})
    subject_field: ClassVar[str] = "conversation_id"

    conversation_id: str
    lookup_id: str
    names: tuple[str, ...]


class PackagesFound(Event):
    """What the index says: by canonical name a sentence, and whether a plan may name it. names it never
    answered for are absent. problem: why it could not be asked at all; empty otherwise.

    Emitted by: executor
    Handled by: planner
    """

    fact: ClassVar[str] = "conversation.packages_found.v1"
    producers: ClassVar[frozenset[str]] = frozenset({"executor"})
    subject_field: ClassVar[str] = "conversation_id"

    conversation_id: str
    lookup_id: str
    found: dict[str, str] = {}
    missing: dict[str, str] = {}
    problem: str = ""
