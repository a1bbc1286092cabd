"""Who pushed this: the OpenID Connect token that Pub/Sub puts into the Authorization header.

Where the public has no access Cloud Run checks the token before the container and cuts its signature off; the
gateway's container is open to the public, so there it comes whole. What it says is checked here, everywhere. Needs no
Google library. Why: docs/decisions/0048.
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate

from shared.clock import Clock
from shared.errors import NotAllowed, NotAuthenticated

# Source: developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken
_ISSUERS = ("https://accounts.google.com", "accounts.google.com")
_SKEW = timedelta(seconds=30)  # decision: as far as two machines' clocks may differ
_MAX_TOKEN = 8192
# In the signature's place, once Cloud Run has checked it.
# Source: cloud.google.com/run/docs/troubleshooting#signature-removed
_CUT_OFF = "SIGNATURE_REMOVED_BY_GOOGLE"
_KEEP = timedelta(hours=1)
_ASK_AGAIN = timedelta(minutes=1)


@dataclass(frozen=True)
class Pusher:
    """The one account that may push here, and what its tokens must be made out to. checked: Cloud Run lets nobody to
    this container whose token it has not checked, so one without a signature may be believed."""

    account: str
    audience: str
    checked: bool = False


class Certificates:
    """The issuer's current keys by id. `fetch` gives certificates (PEM) by key id, and raises Unavailable.

    Thread-safe. Asks again after an hour, and for an id it does not know: at most once a minute, or anybody
    could make it ask.
    """

    def __init__(self, fetch: Callable[[], Mapping[str, str]], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: dict[str, RSAPublicKey] = {}
        self._asked: datetime | None = None

    def key(self, id: str) -> RSAPublicKey | None:
        with self._lock:
            age = self._clock.now() - self._asked if self._asked else None
            if age is None or age > _KEEP or (id not in self._keys and age > _ASK_AGAIN):
                self._keys = _public_keys(self._fetch())
                self._asked = self._clock.now()
            return self._keys.get(id)


def _public_keys(certificates: Mapping[str, str]) -> dict[str, RSAPublicKey]:
    found = {}
    for id, text in certificates.items():
        key = load_pem_x509_certificate(text.encode()).public_key()
        if isinstance(key, RSAPublicKey):
            found[id] = key
    return found


def verify(authorization: str, pusher: Pusher, certificates: Certificates, now: datetime) -> None:
    """authorization: the header's text, "" when there was none.

    Raises NotAuthenticated for what is no token of the issuer's that counts now, NotAllowed for a good token of
    another account or for another place, Unavailable when the issuer's keys cannot be had.
    """
    claims = _claims(authorization, certificates, pusher.checked)
    if claims.get("iss") not in _ISSUERS:
        raise NotAuthenticated("The token was not made by Google.")
    begins, ends = _moment(claims.get("iat")), _moment(claims.get("exp"))
    if begins is None or ends is None or not begins - _SKEW <= now <= ends + _SKEW:
        raise NotAuthenticated("The token is not valid now.")
    if claims.get("aud") != pusher.audience:
        raise NotAllowed("The token was made for another place.")
    if claims.get("email") != pusher.account or claims.get("email_verified") is not True:
        raise NotAllowed("The token is another account's.")


def _claims(authorization: str, certificates: Certificates, checked: bool) -> dict[str, Any]:
    """Raises NotAuthenticated unless the token is signed by a key of the issuer's, or was."""
    scheme, _, token = authorization.partition(" ")
    parts = token.strip().split(".")
    if scheme.lower() != "bearer" or len(parts) != 3 or len(token) > _MAX_TOKEN:
        raise NotAuthenticated("There is no token.")
    try:
        header, claims = (json.loads(_bytes(part)) for part in parts[:2])
        signature = b"" if parts[2] == _CUT_OFF else _bytes(parts[2])
    except (ValueError, RecursionError, binascii.Error) as error:
        raise NotAuthenticated("The token cannot be read.") from error
    if not isinstance(header, dict) or not isinstance(claims, dict) or header.get("alg") != "RS256":
        raise NotAuthenticated("The token is of another kind.")
    if checked and parts[2] == _CUT_OFF:
        return claims
    key = certificates.key(str(header.get("kid")))
    if key is None:
        raise NotAuthenticated("The token is signed with an unknown key.")
    try:
        key.verify(signature, ".".join(parts[:2]).encode(), PKCS1v15(), SHA256())
    except InvalidSignature as error:
        raise NotAuthenticated("The token's signature is wrong.") from error
    return claims


def _bytes(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)


def _moment(seconds: object) -> datetime | None:
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None
