"""Undoing an answer's compression piece by piece, so that it can be searched for secrets. Pure."""

from __future__ import annotations

import zlib
from typing import Protocol

from shared.errors import DecodeError


class Decoder(Protocol):
    def feed(self, data: bytes) -> bytes:
        """Raises: DecodeError when the bytes are not what the header said."""


class Identity:
    def feed(self, data: bytes) -> bytes:
        return data


class Zlib:
    """gzip or zlib, recognised by its header; also several gzip members in a row."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)

    def feed(self, data: bytes) -> bytes:
        try:
            text = self._inner.decompress(data)
            while self._inner.unused_data:
                rest = self._inner.unused_data
                self._inner = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
                text += self._inner.decompress(rest)
            return text
        except zlib.error as error:
            raise DecodeError("the answer is not compressed as it says", code="unreadable_answer") from error


def decoder(content_encoding: str) -> Decoder:
    """Raises: DecodeError for an encoding that cannot be searched (`br`, `zstd`, several at once)."""
    match content_encoding.strip().lower():
        case "" | "identity":
            return Identity()
        case "gzip" | "x-gzip" | "deflate":
            return Zlib()
        case other:
            raise DecodeError(
                f"an answer encoded as {other[:40]} cannot be searched", code="unreadable_answer"
            )
