"""What names a write: the digest under which it is shown, and let through once. Pure."""

from __future__ import annotations

import hashlib


def write_id(method: str, url: str, body: bytes) -> str:
    """32 hex digits that follow from method, URL and body (as the code sent them, with placeholders)."""
    return write_id_of(method, url, hashlib.sha256(body).hexdigest())


def write_id_of(method: str, url: str, body_sha256: str) -> str:
    return hashlib.sha256(f"{method}\n{url}\n{body_sha256}".encode()).hexdigest()[:32]
