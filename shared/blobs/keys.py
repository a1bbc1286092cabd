"""What may be a blob's key: the same for every adapter, so that none accepts what another refuses."""

from __future__ import annotations

import re

from shared.errors import BadRequest

_SEGMENT = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
_KEY = re.compile(rf"{_SEGMENT}(/{_SEGMENT})*")
_PREFIX = re.compile(rf"({_SEGMENT}/)*({_SEGMENT})?")
_MAX_KEY = 400


def checked(key: str) -> str:
    """Raises BadRequest for an empty, absolute, hidden, upward or overlong path."""
    if len(key) > _MAX_KEY or not _KEY.fullmatch(key):
        raise BadRequest(f"{key[:80]!r} is no blob key.")
    return key


def checked_prefix(prefix: str) -> str:
    """A beginning of keys, also in the middle of a segment; "" is every key. Raises BadRequest."""
    if len(prefix) > _MAX_KEY or not _PREFIX.fullmatch(prefix):
        raise BadRequest(f"{prefix[:80]!r} is no beginning of a blob key.")
    return prefix
