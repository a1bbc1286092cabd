"""Tapes at rest: chunks sealed under a workspace's own tape key; equal bodies have one keyed address.

Used by executor (records, replays) and gateway (shows). The key itself is wrapped by the installation's.
"""

from __future__ import annotations

import base64
import hmac
import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from shared.blobs.port import Blobs
from shared.errors import DecodeError
from shared.records.tapes import TapeContent, TapeEntry, TapeHead, TapeKeyRecord, TapeRecord
from shared.vault.envelope import Place, open_sealed, seal
from shared.vault.keyring import Keyring

# Plain bytes of one chunk: small enough to hold a few, large enough that sealing costs nothing beside them.
CHUNK_BYTES = 64 << 10
# Source: NIST SP 800-38D, section 8.2. Every file has a key of its own, so random nonces are safe.
_NONCE_BYTES = 12
_LENGTH_BYTES = 4
_NAME_BYTES = 16


class Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def hexdigest(self) -> str: ...


@dataclass(frozen=True)
class TapeKey:
    """`id` says which key a tape was sealed with: a workspace that lost its key gets another."""

    id: str
    workspace_id: str
    key: bytes = field(repr=False)

    def addressing(self, agent_id: str) -> Digest:
        """Fed with a body, its address in hex: equal for equal bodies of one agent, telling nothing about them
        to whoever lacks the key."""
        return hmac.new(self._derived("address", agent_id), digestmod="sha256")

    def sealer(self, *place: str) -> Sealer:
        return Sealer(self._derived("chunks", *place), "|".join((self.workspace_id, *place)))

    def _derived(self, *purpose: str) -> bytes:
        return HKDFExpand(hashes.SHA256(), 32, "\x1f".join(("tape", *purpose)).encode()).derive(self.key)


class Sealer:
    """Chunks of one place: none opens elsewhere, at another number, or as the last when it is not."""

    def __init__(self, key: bytes, place: str) -> None:
        self._gcm = AESGCM(key)
        self._place = place

    def seal(self, number: int, plain: bytes, *, last: bool) -> bytes:
        """With its length in front, ready to follow the one before."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._gcm.encrypt(nonce, plain, self._bound(number, last))
        return len(sealed).to_bytes(_LENGTH_BYTES, "big") + sealed

    def all(self, chunks: Iterable[bytes]) -> bytes:
        held = list(chunks) or [b""]
        last = len(held) - 1
        return b"".join(self.seal(n, chunk, last=n == last) for n, chunk in enumerate(held))

    def open(self, stream: BinaryIO) -> Iterator[bytes]:
        """Raises: DecodeError when anything was changed, moved, swapped or cut off."""
        number, sealed = 0, _next(stream)
        while sealed is not None:
            following = _next(stream)
            nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
            try:
                yield self._gcm.decrypt(nonce, rest, self._bound(number, following is None))
            except (InvalidTag, ValueError) as error:
                raise DecodeError(
                    "a tape does not belong where it was found", code="tape_unreadable"
                ) from error
            number, sealed = number + 1, following
        if number == 0:
            raise DecodeError("a tape is empty", code="tape_unreadable")

    def _bound(self, number: int, last: bool) -> bytes:
        return f"{self._place}|{number}|{'last' if last else 'more'}".encode()


def _next(stream: BinaryIO) -> bytes | None:
    length = stream.read(_LENGTH_BYTES)
    if not length:
        return None
    size = int.from_bytes(length, "big")
    sealed = stream.read(size) if size <= CHUNK_BYTES * 32 else b""
    if len(length) < _LENGTH_BYTES or len(sealed) != size:
        raise DecodeError("a tape was cut off", code="tape_unreadable")
    return sealed


def new_key(workspace_id: str, id: str, keyring: Keyring, now: str) -> tuple[TapeKey, TapeKeyRecord]:
    raw = os.urandom(32)
    sealed = seal(base64.b64encode(raw).decode(), Place(workspace_id, id, 1), keyring)
    record = TapeKeyRecord(id=workspace_id, workspace_id=workspace_id, key_id=id, sealed=sealed, at=now)
    return TapeKey(id, workspace_id, raw), record


def open_key(record: TapeKeyRecord, keyring: Keyring) -> TapeKey:
    """Raises: DecodeError."""
    text = open_sealed(record.sealed, Place(record.workspace_id, record.key_id, 1), keyring)
    return TapeKey(record.key_id, record.workspace_id, base64.b64decode(text))


def index_place(run_id: str, attempt_id: str) -> tuple[str, ...]:
    return ("index", run_id, attempt_id)


def body_head() -> tuple[bytes, str]:
    """The first bytes of a body's file and the place they stand for: known before its address is."""
    name = os.urandom(_NAME_BYTES)
    return name, name.hex()


def body_place(agent_id: str, name: str) -> tuple[str, ...]:
    return ("body", agent_id, name)


def body_key(record_prefix: str, address: str) -> str:
    return f"{record_prefix}/b-{address}"


def read_tape(record: TapeRecord, blobs: Blobs, key: TapeKey) -> TapeContent:
    """Everything but the bodies. Raises: DecodeError (also for a key of another time), NotFound."""
    if record.key_id != key.id:
        raise DecodeError("the key of this tape was destroyed", code="tape_unreadable")
    sealer = key.sealer(*index_place(record.run_id, record.id))
    raw = blobs.get(record.index_key) if record.index_key else base64.b64decode(record.index)
    lines = b"".join(sealer.open(io.BytesIO(raw))).decode().split("\n")
    head, *entries = [line for line in lines if line]
    return TapeContent(
        head=TapeHead.model_validate_json(head),
        entries=tuple(TapeEntry.model_validate_json(entry) for entry in entries),
    )


def read_body(record: TapeRecord, address: str, blobs: Blobs, key: TapeKey, at_most: int) -> bytes:
    """The first `at_most` bytes; a whole body is checked against its address. Raises as read_tape."""
    found, digest = bytearray(), key.addressing(record.agent_id)
    with blobs.open(body_key(record.prefix, address)) as stream:
        sealer = key.sealer(*body_place(record.agent_id, stream.read(_NAME_BYTES).hex()))
        for chunk in sealer.open(stream):
            found += chunk
            digest.update(chunk)
            if len(found) > at_most:
                return bytes(found[:at_most])
    if not hmac.compare_digest(digest.hexdigest(), address):
        raise DecodeError("a tape's body is not the one it is named after", code="tape_unreadable")
    return bytes(found)
