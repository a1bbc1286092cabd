"""The installation's keys on Google Cloud: they never leave Cloud KMS, which wraps, unwraps and signs for whoever may.

A key ring holds one key for each `Ring`, of the same name, and two that sign, from which other keys are derived.
"""

from __future__ import annotations

import threading
from typing import Final, TypedDict

from google.api_core import exceptions as google
from google.api_core.retry import Retry, if_exception_type
from google.cloud.kms import KeyManagementServiceClient
from google_crc32c import value as crc32c

from shared.errors import DecodeError, Misconfigured, Unavailable
from shared.vault.keyring import Ring

KEY_RING: Final = "agent-builder"
# Of tokens that one service makes and another reads; every other purpose is the gateway's own.
_OF_RUNS = frozenset({"run tokens", "attempt tokens"})
_ID = "kms"  # which version wrapped it stands in what KMS returns
# Decision: somebody waits for the answer; the library would go on for a minute.
_PATIENCE_S = 10.0
_AGAIN = (
    google.ServiceUnavailable,
    google.DeadlineExceeded,
    google.InternalServerError,
    google.TooManyRequests,
    google.RetryError,
)


def key_ring(project: str, region: str) -> str:
    """As terraform names it."""
    return f"projects/{project}/locations/{region}/keyRings/{KEY_RING}"


def signing_key(purpose: str) -> str:
    """The name of the key a purpose is derived from."""
    return "derive-runs" if purpose in _OF_RUNS else "derive-gateway"


class _Patience(TypedDict):
    retry: Retry
    timeout: float


def _patience(patience_s: float) -> _Patience:
    away = if_exception_type(google.ServiceUnavailable, google.DeadlineExceeded)
    return {
        "retry": Retry(predicate=away, initial=0.1, maximum=2.0, timeout=patience_s),
        "timeout": patience_s,
    }


class KmsKeyring:
    """Which version wrapped a key KMS knows itself, so rotation is KMS's."""

    def __init__(self, client: KeyManagementServiceClient, key: str, patience_s: float = _PATIENCE_S) -> None:
        self._client = client
        self._key = key
        self._patience = _patience(patience_s)

    def wrap(self, data_key: bytes, place: bytes) -> tuple[str, bytes]:
        request = {
            "name": self._key,
            "plaintext": data_key,
            "plaintext_crc32c": crc32c(data_key),
            "additional_authenticated_data": place,
            "additional_authenticated_data_crc32c": crc32c(place),
        }
        with _told(self._key):
            answer = self._client.encrypt(request=request, **self._patience)
        sound = answer.verified_plaintext_crc32c and answer.verified_additional_authenticated_data_crc32c
        if not sound or answer.ciphertext_crc32c != crc32c(answer.ciphertext):
            raise Unavailable("What Cloud KMS got or answered was damaged on its way.", code="kms_damaged")
        return _ID, answer.ciphertext

    def unwrap(self, key_id: str, wrapped: bytes, place: bytes) -> bytes:
        if key_id != _ID:
            raise DecodeError("a secret was sealed with a key of another place", code="secret_unreadable")
        request = {
            "name": self._key,
            "ciphertext": wrapped,
            "ciphertext_crc32c": crc32c(wrapped),
            "additional_authenticated_data": place,
            "additional_authenticated_data_crc32c": crc32c(place),
        }
        with _told(self._key):
            answer = self._client.decrypt(request=request, **self._patience)
        if answer.plaintext_crc32c != crc32c(answer.plaintext):
            raise Unavailable("What Cloud KMS answered was damaged on its way.", code="kms_damaged")
        plain: bytes = answer.plaintext
        return plain


class KmsKeys:
    """ring: as `key_ring`. Nothing is asked for before it is needed; what is derived is kept in memory. patience_s: how
    long a KMS that is away is asked again."""

    def __init__(
        self, client: KeyManagementServiceClient, ring: str, patience_s: float = _PATIENCE_S
    ) -> None:
        self._client = client
        self._ring = ring
        self._patience_s = patience_s
        self._patience = _patience(patience_s)
        self._derived: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def ring(self, ring: Ring) -> KmsKeyring:
        return KmsKeyring(self._client, f"{self._ring}/cryptoKeys/{ring}", self._patience_s)

    def derive(self, purpose: str) -> bytes:
        """The HMAC-SHA-256 of the purpose under a key that only KMS has: a pseudo-random function's output is a key
        (source: NIST SP 800-108). Of the first version always: these keys are not rotated."""
        with self._lock:
            if purpose not in self._derived:
                self._derived[purpose] = self._signed(purpose)
            return self._derived[purpose]

    def _signed(self, purpose: str) -> bytes:
        key = f"{self._ring}/cryptoKeys/{signing_key(purpose)}"
        data = f"agentbuilder {purpose}".encode()
        request = {"name": f"{key}/cryptoKeyVersions/1", "data": data, "data_crc32c": crc32c(data)}
        with _told(key):
            answer = self._client.mac_sign(request=request, **self._patience)
        if not answer.verified_data_crc32c or answer.mac_crc32c != crc32c(answer.mac):
            raise Unavailable("What Cloud KMS got or answered was damaged on its way.", code="kms_damaged")
        mac: bytes = answer.mac
        return mac


class _told:  # noqa: N801  reads as a verb where it is used
    """Google's errors as ours."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, google.InvalidArgument):
            raise DecodeError(
                "a stored secret does not belong where it was found", code="secret_unreadable"
            ) from error
        if isinstance(error, google.PermissionDenied | google.NotFound | google.FailedPrecondition):
            raise Misconfigured(f"This service may not use the key {self._key}: {error.message}") from error
        if isinstance(error, _AGAIN):
            raise Unavailable("Cloud KMS does not answer.", code="kms_unavailable") from error
