"""Placeholders in request headers become real values, towards the bound host only. Pure.

Read next: `masking.py`, the way back.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence

import h11

from services.executor.egress.model import SecretBinding
from shared.errors import BadRequest

Headers = Sequence[tuple[bytes, bytes]]


def used_in(headers: Headers, bindings: Sequence[SecretBinding], host: str) -> tuple[SecretBinding, ...]:
    """The bindings of `host` whose placeholder stands in some header value, openly or inside HTTP Basic."""
    texts = [value for _, value in headers]
    texts += [inner for _, value in headers if (inner := _basic(value)) is not None]
    return tuple(
        binding
        for binding in bindings
        if binding.host.lower() == host and any(binding.placeholder.encode() in text for text in texts)
    )


def reveal_in(headers: Headers, values: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """`values` maps placeholder to real value. HTTP Basic is decoded, replaced and encoded again.

    Raises: BadRequest, code `secret_not_a_header`, when a real value cannot stand in a header.
    """
    pairs = [(mark.encode(), _usable(value)) for mark, value in values.items()]

    def replaced(text: bytes) -> bytes:
        for mark, value in pairs:
            text = text.replace(mark, value)
        return text

    return [(name, _through_basic(value, replaced)) for name, value in headers]


def _through_basic(value: bytes, replaced: Callable[[bytes], bytes]) -> bytes:
    inner = _basic(value)
    if inner is None or (changed := replaced(inner)) == inner:
        return replaced(value)
    return value[:6] + base64.b64encode(changed)


def _basic(value: bytes) -> bytes | None:
    """What HTTP Basic credentials hold, or None for any other header value."""
    if value[:6].lower() != b"basic ":
        return None
    try:
        return base64.b64decode(value[6:].strip(), validate=True)
    except binascii.Error:
        return None


def _usable(value: str) -> bytes:
    data = value.encode()
    try:
        h11.Request(method="GET", target="/", headers=[(b"host", b"x"), (b"x", data)])
    except h11.LocalProtocolError:
        # The value itself must not get into the message, nor into the chain of causes.
        raise BadRequest("the secret cannot be sent in a header", code="secret_not_a_header") from None
    return data
