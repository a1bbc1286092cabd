"""Files by key, `owner/kind/…`: bytes in, bytes out, links that expire.

Keys are relative paths of [A-Za-z0-9._/-] (`keys.py`; BadRequest otherwise), written once by convention
(content or id in it). No key is the folder of another: files refuse it, a bucket would take it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol


@dataclass(frozen=True)
class BlobInfo:
    key: str
    size: int


@dataclass(frozen=True)
class UploadLink:
    """For one PUT; the headers are part of what was signed."""

    url: str
    headers: dict[str, str]


class Blobs(Protocol):
    """Thread-safe. All raise Unavailable when the bucket does not answer."""

    def put(self, key: str, data: bytes) -> None:
        """Whole or not at all. The same key again replaces the bytes."""

    def put_file(self, key: str, path: Path) -> None:
        """As put, from an open regular file on this machine (streamed)."""

    def get(self, key: str) -> bytes:
        """Raises NotFound."""

    def open(self, key: str) -> BinaryIO:
        """A readable stream; the caller closes it. Raises NotFound."""

    def info(self, key: str) -> BlobInfo | None: ...

    def delete(self, key: str) -> None:
        """No error when it is not there."""

    def link(self, key: str, lasts_s: int) -> str:
        """An address at which whoever has it can read the file for so long, a week at most; "" where there are none
        to give. Whether the file exists is not asked."""

    def upload_link(self, key: str, lasts_s: int, at_most_bytes: int) -> UploadLink | None:
        """Whoever has it can put the file there for so long, while there is none; None where there are none to give."""

    def copy(self, key: str, to: str) -> None:
        """Whole or not at all. Raises NotFound."""

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        """In the order of keys. What is put or deleted meanwhile may be told or not; it is no error."""
