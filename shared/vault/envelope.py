"""One secret, sealed: AES-256-GCM under its own key, and that key wrapped by the key of the installation.

The sealed text is `v1.<key id>.<wrapped key>.<ciphertext>`; both parts are nonce + ciphertext + tag in
URL-safe base64. The place it belongs to is authenticated with it, so a row moved elsewhere stays shut.
"""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.errors import DecodeError
from shared.vault.keyfile import Keyring

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
    wrapped = _encrypt(keyring.current.key, data_key, place.authenticated("key"))
    body = _encrypt(data_key, value.encode(), place.authenticated("value"))
    return f"v1.{keyring.current.id}.{wrapped}.{body}"


def open_sealed(sealed: str, place: Place, keyring: Keyring) -> str:
    """The value. Raises DecodeError for a changed text, another place, or a key that is not in the ring."""
    parts = sealed.split(".")
    if len(parts) != 4 or parts[0] != "v1":
        raise DecodeError("a stored secret has an unknown form", code="secret_unreadable")
    key = keyring.find(parts[1])
    if key is None:
        raise DecodeError("the key a secret was sealed with is not in the keyfile", code="secret_unreadable")
    data_key = _decrypt(key.key, parts[2], place.authenticated("key"))
    return _decrypt(data_key, parts[3], place.authenticated("value")).decode()


def _encrypt(key: bytes, plain: bytes, authenticated: bytes) -> str:
    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, plain, authenticated)
    return base64.urlsafe_b64encode(nonce + sealed).decode()


def _decrypt(key: bytes, text: str, authenticated: bytes) -> bytes:
    try:
        raw = base64.b64decode(text, altchars=b"-_", validate=True)
        return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], authenticated)
    except (InvalidTag, ValueError, binascii.Error) as error:
        raise DecodeError(
            "a stored secret does not belong where it was found", code="secret_unreadable"
        ) from error
