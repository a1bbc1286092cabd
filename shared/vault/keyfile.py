"""The installation's keys: one line each, `<id> <base64>`, the last one seals, all of them open.

Rotation is appending a line. The file lies beside the databases, not in them, and belongs to one user.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.errors import DecodeError, Misconfigured
from shared.vault.keyring import Ring

KEYFILE = "vault.key"
# Source: NIST SP 800-38D, section 8.2 (96-bit nonces). At some thousand wraps a day random ones are safe for ages.
_NONCE_BYTES = 12


@dataclass(frozen=True)
class Key:
    """256 bits; `id` follows from them and tells nothing about them."""

    id: str
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class KeyfileKeyring:
    """Never empty. All its rings, and what is derived, follow from the same lines: `Keys` and a `Keyring` in one."""

    keys: tuple[Key, ...]

    @property
    def current(self) -> Key:
        return self.keys[-1]

    def find(self, key_id: str) -> Key | None:
        return next((key for key in self.keys if key.id == key_id), None)

    def ring(self, ring: Ring) -> KeyfileKeyring:
        """Of secrets and tapes itself; of anything else one whose keys follow from these and lead nowhere."""
        if ring in ("secrets", "tapes"):
            return self
        return KeyfileKeyring(tuple(_derived(key, ring) for key in self.keys))

    def wrap(self, data_key: bytes, place: bytes) -> tuple[str, bytes]:
        nonce = os.urandom(_NONCE_BYTES)
        return self.current.id, nonce + AESGCM(self.current.key).encrypt(nonce, data_key, place)

    def unwrap(self, key_id: str, wrapped: bytes, place: bytes) -> bytes:
        key = self.find(key_id)
        if key is None:
            raise DecodeError(
                "the key a secret was sealed with is not in the keyfile", code="secret_unreadable"
            )
        try:
            return AESGCM(key.key).decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], place)
        except (InvalidTag, ValueError) as error:
            raise DecodeError(
                "a stored secret does not belong where it was found", code="secret_unreadable"
            ) from error

    def derive(self, purpose: str) -> bytes:
        """From the oldest key: rotation keeps it."""
        return _derived(self.keys[0], purpose).key


def load_keyring(path: Path) -> KeyfileKeyring:
    """Reads the keyfile, making it (0600, one random key) on first use.

    Raises: Misconfigured when others may read it, another user owns it, or a line is no key.
    """
    _make_once(path)
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "r", encoding="ascii") as file:
        facts = os.fstat(file.fileno())
        if facts.st_uid != os.geteuid():
            raise Misconfigured(f"{path} belongs to another user; start as its owner or move it away")
        if not stat.S_ISREG(facts.st_mode) or facts.st_mode & 0o077:
            raise Misconfigured(f"{path} may be read by others; run: chmod 600 {path}")
        lines = file.read().split("\n")
    keys = tuple(_key(line, path) for line in lines if line.strip())
    if not keys:
        raise Misconfigured(f"{path} holds no key; restore it from a backup, or secrets cannot be read")
    return KeyfileKeyring(keys)


def new_key_line() -> str:
    raw = os.urandom(32)
    return f"{_key_id(raw)} {base64.b64encode(raw).decode()}\n"


def _derived(key: Key, purpose: str) -> Key:
    kdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=f"agentbuilder {purpose}".encode())
    raw = kdf.derive(key.key)
    return Key(_key_id(raw), raw)


def _make_once(path: Path) -> None:
    if path.exists():
        return
    # Written aside and linked: a second process never sees half a file, and the first one wins.
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(new_key_line())
            file.flush()
            os.fsync(file.fileno())
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        aside.unlink(missing_ok=True)


def _key(line: str, path: Path) -> Key:
    key_id, _, text = line.strip().partition(" ")
    try:
        raw = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise Misconfigured(f"{path} has a line that is no key") from error
    if len(raw) != 32 or _key_id(raw) != key_id:
        raise Misconfigured(f"{path} has a line that is no key")
    return Key(key_id, raw)


def _key_id(raw: bytes) -> str:
    return "k" + hashlib.sha256(b"agentbuilder key id" + raw).hexdigest()[:12]
