"""Cloud KMS's API on a local port: keys that exist once they are asked for, what each caller may is to be set."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable
from concurrent import futures
from typing import Any, Self

import grpc
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.cloud.kms import (
    DecryptRequest,
    DecryptResponse,
    EncryptRequest,
    EncryptResponse,
    MacSignRequest,
    MacSignResponse,
)
from google_crc32c import value as crc32c

_SERVICE = "google.cloud.kms.v1.KeyManagementService"
_VERSION_BYTES = 8


class FakeKms:
    """at: where it listens; port 0: any free one. address: host:port without TLS. refused: keys, by their last name,
    that nobody may use. failing: how many of the next requests fail with UNAVAILABLE. damaged: answers are changed on
    their way. asked: methods, in their order. Use as a context."""

    def __init__(self, at: str = "127.0.0.1:0") -> None:
        self.refused: set[str] = set()
        self.failing = 0
        self.damaged = False
        self.asked: list[str] = []
        self._keys: dict[str, bytes] = {}
        self._versions: dict[str, int] = {}
        self._server = grpc.server(futures.ThreadPoolExecutor(8))
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(_SERVICE, self._methods()),)
        )
        port = self._server.add_insecure_port(at)
        self.address = f"127.0.0.1:{port}"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(0).wait()

    def rotate(self, key: str) -> None:
        """What is wrapped from now on is wrapped by another version."""
        self._versions[key] = self._versions.get(key, 1) + 1

    def _methods(self) -> dict[str, Any]:
        def method(work: Callable[[Any, Any], Any], asked: Any, answered: Any) -> Any:
            return grpc.unary_unary_rpc_method_handler(
                work, request_deserializer=asked.deserialize, response_serializer=answered.serialize
            )

        return {
            "Encrypt": method(self._encrypt, EncryptRequest, EncryptResponse),
            "Decrypt": method(self._decrypt, DecryptRequest, DecryptResponse),
            "MacSign": method(self._sign, MacSignRequest, MacSignResponse),
        }

    def _encrypt(self, request: EncryptRequest, context: Any) -> EncryptResponse:
        version = self._asked("Encrypt", request.name, context)
        nonce, place = os.urandom(12), request.additional_authenticated_data
        sealed = AESGCM(self._key(request.name, version)).encrypt(nonce, request.plaintext, place)
        text = version.to_bytes(_VERSION_BYTES, "big") + nonce + sealed
        return EncryptResponse(
            name=f"{request.name}/cryptoKeyVersions/{version}",
            ciphertext=text[:-1] if self.damaged else text,
            ciphertext_crc32c=crc32c(text),
            verified_plaintext_crc32c=request.plaintext_crc32c == crc32c(request.plaintext),
            verified_additional_authenticated_data_crc32c=request.additional_authenticated_data_crc32c
            == crc32c(place),
        )

    def _decrypt(self, request: DecryptRequest, context: Any) -> DecryptResponse:
        self._asked("Decrypt", request.name, context)
        text = request.ciphertext
        version = int.from_bytes(text[:_VERSION_BYTES], "big")
        nonce, sealed = text[_VERSION_BYTES : _VERSION_BYTES + 12], text[_VERSION_BYTES + 12 :]
        try:
            plain = AESGCM(self._key(request.name, version)).decrypt(
                nonce, sealed, request.additional_authenticated_data
            )
        except (InvalidTag, ValueError):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "Decryption failed: the ciphertext is invalid.")
        return DecryptResponse(
            plaintext=plain[:-1] if self.damaged else plain, plaintext_crc32c=crc32c(plain)
        )

    def _sign(self, request: MacSignRequest, context: Any) -> MacSignResponse:
        key, _, version = request.name.rpartition("/cryptoKeyVersions/")
        self._asked("MacSign", key, context)
        mac = hmac.new(self._key(key, int(version)), request.data, hashlib.sha256).digest()
        return MacSignResponse(
            name=request.name,
            mac=mac[:-1] if self.damaged else mac,
            mac_crc32c=crc32c(mac),
            verified_data_crc32c=request.data_crc32c == crc32c(request.data),
        )

    def _asked(self, method: str, name: str, context: Any) -> int:
        self.asked.append(method)
        short = name.rpartition("/")[2]
        if short in self.refused:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, f"Permission denied on {short}.")
        if self.failing:
            self.failing -= 1
            context.abort(grpc.StatusCode.UNAVAILABLE, "The service is currently unavailable.")
        return self._versions.get(short, 1)

    def _key(self, name: str, version: int) -> bytes:
        return self._keys.setdefault(f"{name}/{version}", os.urandom(32))
