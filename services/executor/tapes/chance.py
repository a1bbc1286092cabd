"""All that is random about one attempt, from 256 bits: the tape keeps them, so a replay is given the same."""

from __future__ import annotations

import base64
import hashlib


class Chance:
    """Ids of one attempt, in the order they are asked for, and the seed of its code; neither tells the other.

    A shared.ids.Ids: the same seed gives the same ids.
    """

    def __init__(self, seed: bytes) -> None:
        self.seed = seed
        self._count = 0

    def for_code(self) -> bytes:
        return self._bytes("code")

    def named(self, name: str) -> str:
        """Unguessable text that does not depend on what else was asked for."""
        return _text(self._bytes(f"named {name}")[:20])

    def new(self, kind: str) -> str:
        return f"{kind}_{_text(self._next()[:15])}"

    def token(self, bits: int = 256) -> str:
        return base64.urlsafe_b64encode(self._next()[: bits // 8]).decode().rstrip("=")

    def _next(self) -> bytes:
        self._count += 1
        return self._bytes(f"id {self._count}")

    def _bytes(self, purpose: str) -> bytes:
        return hashlib.blake2b(purpose.encode(), key=self.seed, digest_size=32).digest()


def _text(raw: bytes) -> str:
    return base64.b32encode(raw).decode().lower().rstrip("=")
