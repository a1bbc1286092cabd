"""Documents only this service reads: what was asked for, what changed, what was answered under a key."""

from __future__ import annotations

from typing import Any, Literal

from shared.records import Record

ChangeKind = Literal["agent", "run", "delivery", "notice", "conversation", "connection"]


class Request(Record):
    """A 202's promise, readable until the owner has the thing; id = the conversation's or run's id.

    text holds no secret: it is what was emitted. A rewind is `over` once it was done, or refused: then text is
    the refusal's code.
    """

    kind: Literal["conversation", "run", "rewind"]
    run_kind: Literal["manual", "test", "replay"] = "manual"
    agent_id: str | None = None
    version_id: str | None = None
    grant_id: str | None = None
    text: str = ""
    language: Literal["ko", "en"] = "ko"
    timezone: str = "UTC"
    input: Any = None
    imported: bool = False
    deadline_at: str = ""
    over: bool = False
    at: str


class Change(Record):
    """One line of the workspace's feed, id `<workspace>-<seq:010d>`; `seq` starts at 1 and has no gaps."""

    seq: int
    kind: ChangeKind
    about: str
    at: str


class ChangeFeed(Record):
    """The counter behind the feed; id = workspace id."""

    next_seq: int = 1


class Remembered(Record):
    """An answer given under an Idempotency-Key. status 0: still being worked out."""

    request_hash: str
    status: int = 0
    body: Any = None
    at: str


class SecretUse(Record):
    """One use of a vault entry: who, where to; never what."""

    secret_id: str
    host: str
    used_for: str
    at: str


class PlanChoice(Record):
    """What a person decided about a plan; id = plan id, so it is decided once."""

    decision: Literal["approve", "reject"]
    agent_id: str
    grant_id: str | None = None
    at: str
