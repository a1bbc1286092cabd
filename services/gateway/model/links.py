"""Download links: an artifact's id and an end, signed; whoever holds one may fetch that one file. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.errors import NotFound

LIFE = timedelta(minutes=10)
# Shown in the page; everything else is saved, whatever it says it is.
_IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


@dataclass(frozen=True)
class Ticket:
    workspace_id: str
    artifact_id: str
    expires: int


def ticket(workspace_id: str, artifact_id: str, now: datetime) -> Ticket:
    return Ticket(workspace_id, artifact_id, int((now + LIFE).timestamp()))


def signed(what: Ticket, key: bytes) -> str:
    body = json.dumps([what.workspace_id, what.artifact_id, what.expires], separators=(",", ":")).encode()
    return f"{_text(body)}.{_text(_mac(body, key))}"


def opened(token: str, key: bytes, now: datetime) -> Ticket:
    """Raises: NotFound for a token that was changed, is over, or never was one: all the same from outside."""
    left, _, right = token.partition(".")
    try:
        body, mac = _raw(left), _raw(right)
    except (ValueError, binascii.Error) as error:
        raise _gone() from error
    if not hmac.compare_digest(mac, _mac(body, key)):
        raise _gone()
    found = Ticket(*json.loads(body))
    if found.expires <= now.timestamp():
        raise _gone()
    return found


def inline(media_type: str) -> bool:
    return media_type in _IMAGES


def _mac(body: bytes, key: bytes) -> bytes:
    return hmac.new(key, b"download\x00" + body, hashlib.sha256).digest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _raw(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _gone() -> NotFound:
    return NotFound("link over", code="link_over")
