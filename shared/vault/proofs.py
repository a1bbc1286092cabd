"""Claims that only the holder of the vault's key can have made, good until a moment: text for a header."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from datetime import datetime

from shared.clock import Clock
from shared.errors import NotAuthenticated
from shared.vault.keyring import Keys

_LONGEST = 4096


class Proofs:
    """purpose: proofs made for one are nothing to another."""

    def __init__(self, keys: Keys, purpose: str, clock: Clock) -> None:
        self._key = keys.derive(purpose)
        self._clock = clock

    def mint(self, claims: dict[str, str], until: datetime) -> str:
        data = json.dumps([int(until.timestamp()), claims], separators=(",", ":")).encode()
        return f"{_text(data)}.{_text(self._mac(data))}"

    def read(self, token: str) -> dict[str, str]:
        """Raises: NotAuthenticated for anything that was not made here for this purpose, or is over."""
        claims_text, _, mac_text = token[:_LONGEST].partition(".")
        try:
            data, mac = _bytes(claims_text), _bytes(mac_text)
        except (ValueError, binascii.Error) as error:
            raise refused() from error
        if not hmac.compare_digest(mac, self._mac(data)):
            raise refused()
        until, claims = json.loads(data)
        if self._clock.now() > datetime.fromtimestamp(until, tz=self._clock.now().tzinfo):
            raise refused()
        found: dict[str, str] = claims
        return found

    def _mac(self, data: bytes) -> bytes:
        return hmac.new(self._key, data, hashlib.sha256).digest()


def refused() -> NotAuthenticated:
    return NotAuthenticated("This request does not come from a run.", code="no_run")


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
