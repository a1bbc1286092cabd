"""What Pub/Sub hands over: a pushed request body or a pulled message, as an envelope and its circumstances.

Needs no Google library, so the service that only receives pushes does not load one for it.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.clock import moment, stamp
from shared.errors import DecodeError
from shared.events.clock import TimeTicked
from shared.events.envelope import MAX_DATA_BYTES, Envelope, from_wire

ONLY = "ab-only"
LETTER = "ab-letter"
_MAX_BODY = 2 * MAX_DATA_BYTES  # base64 and attributes on top of the data


@dataclass(frozen=True)
class Handed:
    """One delivery of one message.

    service: whose subscription it came through (`<topic>.<service>`). attempt: 1 for the first, None where
    the sender does not count. only, letter: set on the replay of a dead letter, for one service.
    """

    envelope: Envelope
    message_id: str
    attempt: int | None
    service: str
    only: str = ""
    letter: str = ""


def from_push(body: bytes) -> Handed:
    """Decodes a push request. Raises DecodeError when it is no Pub/Sub push or holds no CloudEvent.

    Source: cloud.google.com/pubsub/docs/push#receive_push; the emulator leaves out deliveryAttempt.
    """
    if len(body) > _MAX_BODY:
        raise DecodeError(f"a push of {len(body)} bytes is over {_MAX_BODY}")
    try:
        wrapper = json.loads(body)
        message = wrapper["message"]
        data = base64.b64decode(message.get("data", ""), validate=True)
        attributes = _texts(message["attributes"])
        attempt = wrapper.get("deliveryAttempt")
        message_id = str(message.get("messageId") or message["message_id"])
        published = str(message.get("publishTime") or message.get("publish_time") or "")
        subscription = str(wrapper["subscription"])
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise DecodeError("this is no Pub/Sub push") from error
    counted = attempt if isinstance(attempt, int) else None
    return handed(attributes, data, message_id, counted, subscription, published)


def handed(
    attributes: Mapping[str, str],
    data: bytes,
    message_id: str,
    attempt: int | None,
    subscription: str,
    published: str,
) -> Handed:
    """Raises DecodeError when the message holds no CloudEvent. `subscription`: with or without its path.
    published: ISO 8601."""
    if attributes.get("ce-type") == TimeTicked.type() and "ce-id" not in attributes:
        attributes, data = _tick(attributes, message_id, published)
    return Handed(
        envelope=from_wire(dict(attributes), data),
        message_id=message_id,
        attempt=attempt,
        service=subscription.rsplit("/", 1)[-1].rpartition(".")[2],
        only=attributes.get(ONLY, ""),
        letter=attributes.get(LETTER, ""),
    )


def _tick(attributes: Mapping[str, str], message_id: str, published: str) -> tuple[Mapping[str, str], bytes]:
    """Cloud Scheduler sends the same message every minute: its id and its moment are Pub/Sub's."""
    try:
        at = stamp(moment(published))
    except ValueError as error:
        raise DecodeError("a tick without the moment it was published") from error
    added = {"ce-id": message_id, "ce-time": at, "ce-subject": at, "ce-workspaceid": ""}
    return {**attributes, **added}, json.dumps({"at": at}).encode()


def _texts(pairs: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in pairs.items()}
