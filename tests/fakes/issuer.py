"""An issuer of OpenID Connect tokens with a key of its own, in the place of Google's."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from shared.bus.oidc import Pusher


class FakeIssuer:
    """Called, it gives its certificate under every id in `ids`, and counts how often it was asked."""

    def __init__(self, pusher: Pusher, now: datetime, *ids: str) -> None:
        self.ids = list(ids)
        self.asked = 0
        self._pusher = pusher
        self._now = now
        self._key = rsa.generate_private_key(65537, 2048)
        self._certificate = _certificate(self._key, now)

    def __call__(self) -> Mapping[str, str]:
        self.asked += 1
        return dict.fromkeys(self.ids, self._certificate)

    def header(self, *, kid: str = "k1", alg: str = "RS256", **claims: Any) -> str:
        """The Authorization header of a push; `claims` replaces what it would say."""
        now = int(self._now.timestamp())
        said = {
            "iss": "https://accounts.google.com",
            "aud": self._pusher.audience,
            "email": self._pusher.account,
            "email_verified": True,
            "iat": now - 10,
            "exp": now + 3590,
        } | claims
        signed = f"{_part({'alg': alg, 'kid': kid, 'typ': 'JWT'})}.{_part(said)}"
        signature = self._key.sign(signed.encode(), PKCS1v15(), SHA256())
        return f"Bearer {signed}.{_text(signature)}"


def _certificate(key: rsa.RSAPrivateKey, now: datetime) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return made.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()


def _part(value: object) -> str:
    return _text(json.dumps(value).encode())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
