"""Proof of which attempt of which run is asking: made by the executor for each request, read by the planner.

Code in a sandbox never sees one: the egress gateway puts it on the request on its way out. Why: decision 0031.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.clock import Clock
from shared.errors import NotAuthenticated
from shared.vault.keyfile import KEYFILE, Keyring, load_keyring

_PURPOSE = "run tokens"
# Decision: from the gateway to the planner is one hop; a minute bears two clocks that differ.
_LASTS = timedelta(minutes=1)
_LONGEST = 4096


class Asking(BaseModel):
    """Who asks, and which lease pays."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    workspace_id: str
    run_id: str
    attempt_id: str
    lease_id: str


class RunTokens:
    def __init__(self, keyring: Keyring, clock: Clock) -> None:
        self._key = keyring.derive(_PURPOSE)
        self._clock = clock

    @classmethod
    def at(cls, data_dir: Path, clock: Clock) -> RunTokens:
        """Makes the keyfile on first use. Raises Misconfigured when others may read it."""
        return cls(load_keyring(data_dir / KEYFILE), clock)

    def mint(self, asking: Asking) -> str:
        """Good for a minute."""
        until = int((self._clock.now() + _LASTS).timestamp())
        claims = json.dumps([until, asking.model_dump()], separators=(",", ":")).encode()
        return f"{_text(claims)}.{_text(self._mac(claims))}"

    def read(self, token: str) -> Asking:
        """Raises: NotAuthenticated for anything that was not made here, or not just now."""
        claims_text, _, mac_text = token[:_LONGEST].partition(".")
        try:
            claims, mac = _bytes(claims_text), _bytes(mac_text)
        except (ValueError, binascii.Error) as error:
            raise _refused() from error
        if not hmac.compare_digest(mac, self._mac(claims)):
            raise _refused()
        try:
            until, asking = json.loads(claims)
            known = Asking.model_validate(asking)
            fresh = self._clock.now() <= datetime.fromtimestamp(until, tz=self._clock.now().tzinfo)
        except (ValueError, TypeError, ValidationError) as error:
            raise _refused() from error
        if not fresh:
            raise _refused()
        return known

    def _mac(self, claims: bytes) -> bytes:
        return hmac.new(self._key, claims, hashlib.sha256).digest()


def _refused() -> NotAuthenticated:
    return NotAuthenticated("This request does not come from a run.", code="no_run")


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
