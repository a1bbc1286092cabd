"""Ids: `<kind>_<24 lowercase base-32 characters>`, 120 random bits.

Random rather than time-ordered: Firestore asks for ids without a common prefix that grows
(docs/decisions/0011-ids.md). Lists order by a time field, never by id.
"""

from __future__ import annotations

import base64
import hashlib
import random
import secrets
from typing import Protocol


class Ids(Protocol):
    def new(self, kind: str) -> str:
        """A fresh id such as `run_4k2…`; never returned twice."""

    def token(self, bits: int = 256) -> str:
        """Unguessable URL-safe text for links, keys and sessions."""


def _text(raw: bytes) -> str:
    return base64.b32encode(raw).decode().lower().rstrip("=")


class RandomIds:
    def new(self, kind: str) -> str:
        return f"{kind}_{_text(secrets.token_bytes(15))}"

    def token(self, bits: int = 256) -> str:
        return secrets.token_urlsafe(bits // 8)


class SeededIds:
    """The same ids for the same seed, in call order; for tests."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)

    def new(self, kind: str) -> str:
        return f"{kind}_{_text(self._random.randbytes(15))}"

    def token(self, bits: int = 256) -> str:
        return base64.urlsafe_b64encode(self._random.randbytes(bits // 8)).decode().rstrip("=")


def derived(kind: str, *parts: str) -> str:
    """The id that follows from its parts: the same parts always name the same thing.

    Used where being made twice must be impossible: slots, claims, deliveries of a run.
    """
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return f"{kind}_{_text(digest[:15])}"
