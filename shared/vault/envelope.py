"""One secret, sealed: AES-256-GCM under its own key, and that key wrapped by a keyring.

The sealed text is `v1.<key id>.<wrapped key>.<ciphertext>`; both parts are URL-safe base64, the second of nonce +
ciphertext + tag. The place it belongs to is authenticated with it, so a row moved elsewhere stays shut.
"""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.errors import DecodeError
from shared.vault.keyring import Keyring

# Source: NIST SP 800-38D, section 8.2 (96-bit nonces). Each data key seals once, so random nonces are safe.
_NONCE_BYTES = 12


@dataclass(frozen=True)
class Place:
    """Where a secret belongs. `version` counts from 1 and rises with every new value."""

    workspace_id: str
    secret_id: str
    version: int

    def authenticated(self, purpose: str) -> bytes:
        return "|".join((purpose, self.workspace_id, self.secret_id, str(self.version))).encode()


def seal(value: str, place: Place, keyring: Keyring) -> str:
    """A different text every time, for the same value too."""
    data_key = AESGCM.generate_key(256)
    key_id, wrapped = keyring.wrap(data_key, place.authenticated("key"))
    nonce = os.urandom(_NONCE_BYTES)
    body = nonce + AESGCM(data_key).encrypt(nonce, value.encode(), place.authenticated("value"))
    return f"v1.{key_id}.{_text(wrapped)}.{_text(body)}"


def open_sealed(sealed: str, place: Place, keyring: Keyring) -> str:
    """The value. Raises DecodeError for a changed text, another place, or a key that is not in the ring; and what the
    keyring raises."""
    parts = sealed.split(".")
    if len(parts) != 4 or parts[0] != "v1":
        raise DecodeError("a stored secret has an unknown form", code="secret_unreadable")
    try:
        wrapped, body = _bytes(parts[2]), _bytes(parts[3])
        data_key = keyring.unwrap(parts[1], wrapped, place.authenticated("key"))
        gcm = AESGCM(data_key)
        return gcm.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], place.authenticated("value")).decode()
    except (InvalidTag, ValueError, binascii.Error) as error:
        raise DecodeError(
            "a stored secret does not belong where it was found", code="secret_unreadable"
        ) from error


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, altchars=b"-_", validate=True)
