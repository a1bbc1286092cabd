"""The CloudEvents 1.0 envelope and the base of every event payload.

An event is a fact in the past tense. (source, id) is the dedupe key; subject is the aggregate's id and
the ordering key. Nothing relies on order or on once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import to_json

from shared.errors import DecodeError

E = TypeVar("E", bound="Event")

PREFIX = "agentbuilder."
MAX_DATA_BYTES = 256 << 10  # decision: more travels as a blob reference (design, section 4)


class Event(BaseModel):
    """Base of payloads. Subclasses set `fact` (`<subject>.<snake_name>.v<N>`) and `producers` (services
    allowed to emit it), and name the payload field that is the subject. Unknown keys are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    fact: ClassVar[str]
    producers: ClassVar[frozenset[str]]
    subject_field: ClassVar[str]

    @classmethod
    def type(cls) -> str:
        return PREFIX + cls.fact

    @classmethod
    def topic(cls) -> str:
        return cls.fact.split(".", 1)[0]

    def subject(self) -> str:
        return str(getattr(self, self.subject_field))


@dataclass(frozen=True)
class Envelope:
    """One event on the wire.

    source is `/services/<name>`; time is a `stamp` text; data is the payload as a JSON object;
    actor is who caused it (`user:…`, `agent:…`, `service:…`); traceparent is W3C Trace Context or "".
    """

    id: str
    source: str
    type: str
    subject: str
    time: str
    workspace_id: str
    actor: str
    traceparent: str
    data: dict[str, Any]

    def text(self) -> str:
        """All of it as JSON, for outboxes and logs; `from_text` is the way back."""
        return to_json(vars(self)).decode()

    @classmethod
    def from_text(cls, text: str) -> Envelope:
        return cls(**json.loads(text))

    @property
    def service(self) -> str:
        return self.source.removeprefix("/services/")

    @property
    def topic(self) -> str:
        return self.type.removeprefix(PREFIX).split(".", 1)[0]

    def attributes(self) -> dict[str, str]:
        """Binary mode of the Pub/Sub binding: `ce-` attributes.

        Source: googleapis/google-cloudevents docs/spec/pubsub.md section 3.1.3 (working draft).
        """
        pairs = {
            "ce-specversion": "1.0",
            "ce-id": self.id,
            "ce-source": self.source,
            "ce-type": self.type,
            "ce-subject": self.subject,
            "ce-time": self.time,
            "ce-workspaceid": self.workspace_id,
            "ce-actor": self.actor,
            "content-type": "application/json",
        }
        if self.traceparent:
            pairs["ce-traceparent"] = self.traceparent
        return pairs

    def body(self) -> bytes:
        return json.dumps(self.data, ensure_ascii=False, separators=(",", ":")).encode()

    def with_data(self, data: dict[str, Any]) -> Envelope:
        return replace(self, data=data)


def from_wire(attributes: dict[str, str], body: bytes) -> Envelope:
    """Raises DecodeError for a missing attribute, a body over the limit or one that is no JSON object."""
    if len(body) > MAX_DATA_BYTES:
        raise DecodeError(f"event data of {len(body)} bytes is over {MAX_DATA_BYTES}")
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise DecodeError("event data is not JSON") from error
    if not isinstance(data, dict):
        raise DecodeError("event data is not a JSON object")
    try:
        return Envelope(
            id=attributes["ce-id"],
            source=attributes["ce-source"],
            type=attributes["ce-type"],
            subject=attributes.get("ce-subject", ""),
            time=attributes.get("ce-time", ""),
            workspace_id=attributes["ce-workspaceid"],
            actor=attributes.get("ce-actor", ""),
            traceparent=attributes.get("ce-traceparent", ""),
            data=data,
        )
    except KeyError as error:
        raise DecodeError(f"event attribute {error.args[0]} is missing") from error


def payload(envelope: Envelope, kind: type[E]) -> E:
    """The typed payload. Raises DecodeError when the data does not fit the class."""
    try:
        return kind.model_validate(envelope.data)
    except ValidationError as error:
        raise DecodeError(f"{envelope.type}: {error.error_count()} fields do not fit") from error
