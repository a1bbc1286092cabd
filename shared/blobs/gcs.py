"""Blobs in one Cloud Storage bucket. Google's client finds the emulator through STORAGE_EMULATOR_HOST."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import requests
from google.api_core import exceptions
from google.auth.credentials import Credentials
from google.cloud.storage import Client
from google.cloud.storage.retry import DEFAULT_RETRY

from shared.blobs.keys import checked, checked_prefix
from shared.blobs.port import BlobInfo, UploadLink
from shared.errors import NotFound, Unavailable

_TIMEOUT_S = 30.0
_RETRY = DEFAULT_RETRY.with_timeout(60.0)
_RACES = 5
_CHUNK = 1 << 20
_TYPE = "application/octet-stream"  # the door decides what a browser may see it as


class GcsBlobs:
    """signing: what links are signed with; None: there are none (an emulator checks no signature)."""

    def __init__(
        self,
        project: str,
        bucket: str,
        *,
        credentials: Credentials | None = None,
        signing: Callable[[], Credentials] | None = None,
    ) -> None:
        self._signing = signing
        self._client = Client(project=project, credentials=credentials)
        self._bucket = self._client.bucket(bucket)

    def put(self, key: str, data: bytes) -> None:
        md5 = hashlib.md5(data, usedforsecurity=False).digest()
        self._store(key, md5, lambda blob, rules: blob.upload_from_string(data, _TYPE, **rules))

    def put_file(self, key: str, path: Path) -> None:
        with path.open("rb") as source:
            md5 = hashlib.file_digest(source, partial(hashlib.md5, usedforsecurity=False)).digest()
        self._store(key, md5, lambda blob, rules: blob.upload_from_filename(str(path), _TYPE, **rules))

    def _store(self, key: str, md5: bytes, upload: Callable[[Any, dict[str, Any]], None]) -> None:
        """Repeats an upload only over the generation it knows: else the repetition could bury a newer one."""
        blob = self._bucket.blob(checked(key))
        generation = 0
        with _answering(key):
            for _ in range(_RACES):
                try:
                    upload(blob, {"if_generation_match": generation, "retry": _RETRY, "timeout": _TIMEOUT_S})
                    return
                except exceptions.PreconditionFailed:
                    there = self._bucket.get_blob(key, timeout=_TIMEOUT_S)
                    if there is not None and there.md5_hash == base64.b64encode(md5).decode():
                        return  # an earlier try of this very upload, or the same bytes
                    generation = there.generation if there is not None else 0
            upload(
                blob, {"retry": None, "timeout": _TIMEOUT_S}
            )  # many write it: once, over whatever is there

    def get(self, key: str) -> bytes:
        blob = self._bucket.blob(checked(key))
        with _answering(key):
            data: bytes = blob.download_as_bytes(timeout=_TIMEOUT_S, retry=_RETRY)
        return data

    def open(self, key: str) -> BinaryIO:
        """Pinned to the bytes there are now; reading raises NotFound once they have been replaced."""
        with _answering(key):
            blob = self._bucket.get_blob(checked(key), timeout=_TIMEOUT_S)
            if blob is None:
                raise NotFound(f"There is no file {key}.")
            pinned = self._bucket.blob(key, generation=blob.generation)
            return io.BufferedReader(_Stream(key, pinned.open("rb", chunk_size=_CHUNK)), _CHUNK)

    def info(self, key: str) -> BlobInfo | None:
        with _answering(key):
            blob = self._bucket.get_blob(checked(key), timeout=_TIMEOUT_S)
        return BlobInfo(key, blob.size) if blob is not None else None

    def delete(self, key: str) -> None:
        try:
            self._bucket.blob(checked(key)).delete(timeout=_TIMEOUT_S, retry=_RETRY)
        except exceptions.NotFound:
            return
        except (exceptions.ServerError, exceptions.TooManyRequests, requests.RequestException) as error:
            raise Unavailable(f"The bucket did not answer: {error}") from error

    def link(self, key: str, lasts_s: int) -> str:
        checked(key)
        return "" if self._signing is None else self._signed(self._signing(), key, "GET", lasts_s)

    def upload_link(self, key: str, lasts_s: int, at_most_bytes: int) -> UploadLink | None:
        # Source: cloud.google.com/storage/docs/xml-api/reference-headers
        headers = {
            "content-type": _TYPE,
            "x-goog-content-length-range": f"0,{at_most_bytes}",
            "x-goog-if-generation-match": "0",
        }
        checked(key)
        if self._signing is None:
            return None
        return UploadLink(self._signed(self._signing(), key, "PUT", lasts_s, headers), headers)

    def _signed(
        self, signing: Credentials, key: str, method: str, lasts_s: int, headers: dict[str, str] | None = None
    ) -> str:
        blob = self._bucket.blob(key)
        with _answering(key):
            address: str = blob.generate_signed_url(
                version="v4",
                method=method,
                expiration=timedelta(seconds=lasts_s),
                headers=dict(headers or {}),  # which it adds to
                credentials=signing,
            )
        return address

    def copy(self, key: str, to: str) -> None:
        source, target = self._bucket.blob(checked(key)), self._bucket.blob(checked(to))
        token: str | None = None
        with _answering(key):
            while True:  # a large one takes several calls
                token, _done, _all = target.rewrite(source, token=token, timeout=_TIMEOUT_S, retry=_RETRY)
                if token is None:
                    return

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        with _answering(prefix):
            for blob in self._client.list_blobs(
                self._bucket, prefix=checked_prefix(prefix), timeout=_TIMEOUT_S
            ):
                yield BlobInfo(blob.name, blob.size)

    def make_bucket(self) -> None:
        """For emulators; in the cloud terraform makes it. Idempotent."""
        try:
            self._client.create_bucket(self._bucket)
        except exceptions.Conflict:
            return

    def close(self) -> None:
        self._client.close()


class _Stream(io.RawIOBase):
    """Google's stream, raising our errors."""

    def __init__(self, key: str, stream: BinaryIO) -> None:
        self._key = key
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _answering(self._key):
            data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


@contextmanager
def _answering(key: str) -> Iterator[None]:
    try:
        yield
    except exceptions.NotFound as error:
        raise NotFound(f"There is no file {key}.") from error
    except (
        exceptions.ServerError,
        exceptions.TooManyRequests,
        exceptions.RetryError,
        requests.RequestException,
    ) as error:
        raise Unavailable(f"The bucket did not answer: {error}") from error
