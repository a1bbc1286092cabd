"""Download links: a file's id, a host, a way of showing it and an end, signed; whoever holds one may fetch that
one file, there and so and no longer. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from shared.errors import NotFound

LIFE = timedelta(minutes=10)
Disposition = Literal["inline", "attachment"]

# Decision: what a browser shows without running anything of it. PDF is not here: its viewer does not open
# under a sandbox policy. Text of every kind is shown as plain text.
_SHOWN = frozenset(
    {
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
        "video/mp4",
        "video/webm",
        "audio/mpeg",
        "audio/mp4",
        "audio/ogg",
        "audio/wav",
        "audio/x-wav",
    }
)
_TEXT = frozenset(
    {"text/plain", "text/csv", "text/tab-separated-values", "text/markdown", "application/json"}
)
_PLAIN = "text/plain; charset=utf-8"
_BYTES = "application/octet-stream"


@dataclass(frozen=True)
class Ticket:
    """host: as the Host header names it, with its port. expires: seconds since 1970."""

    workspace_id: str
    artifact_id: str
    expires: int
    host: str
    disposition: Disposition = "inline"


def ticket(
    workspace_id: str, artifact_id: str, now: datetime, host: str, disposition: Disposition = "inline"
) -> Ticket:
    return Ticket(workspace_id, artifact_id, int((now + LIFE).timestamp()), host.lower(), disposition)


def signed(what: Ticket, key: bytes) -> str:
    fields = [what.workspace_id, what.artifact_id, what.expires, what.host, what.disposition]
    body = json.dumps(fields, separators=(",", ":")).encode()
    return f"{_text(body)}.{_text(_mac(body, key))}"


def opened(token: str, key: bytes, now: datetime, host: str) -> Ticket:
    """Raises: NotFound for a token that was changed, is over, is for another host, or never was one: all the
    same from outside."""
    left, _, right = token.partition(".")
    try:
        body, mac = _raw(left), _raw(right)
    except (ValueError, binascii.Error) as error:
        raise _gone() from error
    if not hmac.compare_digest(mac, _mac(body, key)):
        raise _gone()
    found = Ticket(*json.loads(body))
    if found.expires <= now.timestamp() or found.host != host.lower():
        raise _gone()
    return found


def shown_as(media_type: str, disposition: Disposition) -> tuple[Disposition, str]:
    """(disposition, content type) a file is answered with; what is not known to be harmless is only ever saved,
    whatever it says it is."""
    if disposition == "inline" and media_type in _SHOWN:
        return "inline", media_type
    if disposition == "inline" and media_type in _TEXT:
        return "inline", _PLAIN
    return "attachment", _BYTES


def _mac(body: bytes, key: bytes) -> bytes:
    return hmac.new(key, b"download\x00" + body, hashlib.sha256).digest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _raw(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _gone() -> NotFound:
    return NotFound("link over", code="link_over")
