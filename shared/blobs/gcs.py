"""Blobs in one Cloud Storage bucket. The emulator is found through STORAGE_EMULATOR_HOST by Google's client."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import google_crc32c
import requests
from google.api_core import exceptions
from google.auth.credentials import Credentials
from google.cloud import storage
from google.cloud.storage.retry import DEFAULT_RETRY

from shared.blobs.keys import checked, checked_prefix
from shared.blobs.port import BlobInfo
from shared.errors import NotFound, Unavailable

_TIMEOUT_S = 30.0
_RETRY = DEFAULT_RETRY.with_timeout(60.0)
_RACES = 5
_CHUNK = 1 << 20


class GcsBlobs:
    def __init__(self, project: str, bucket: str, *, credentials: Credentials | None = None) -> None:
        self._client = storage.Client(project=project, credentials=credentials)
        self._bucket = self._client.bucket(bucket)

    def put(self, key: str, data: bytes) -> None:
        crc = google_crc32c.Checksum(data).digest()
        self._store(
            key,
            crc,
            lambda blob, match: blob.upload_from_string(
                data, "application/octet-stream", if_generation_match=match, retry=_RETRY, timeout=_TIMEOUT_S
            ),
        )

    def put_file(self, key: str, path: Path) -> None:
        checksum = google_crc32c.Checksum()
        with path.open("rb") as source:
            for _ in checksum.consume(source, _CHUNK):
                pass
        self._store(
            key,
            checksum.digest(),
            lambda blob, match: blob.upload_from_filename(
                str(path),
                "application/octet-stream",
                if_generation_match=match,
                retry=_RETRY,
                timeout=_TIMEOUT_S,
            ),
        )

    def _store(self, key: str, crc: bytes, upload: Callable[[Any, int], None]) -> None:
        """Uploads only over the generation it knows: else a repeated upload could bury a newer one."""
        checked(key)
        generation = 0
        with _answering(key):
            for _ in range(_RACES):
                try:
                    upload(self._bucket.blob(key), generation)
                    return
                except exceptions.PreconditionFailed:
                    there = self._bucket.get_blob(key, timeout=_TIMEOUT_S)
                    if there is not None and there.crc32c == base64.b64encode(crc).decode():
                        return  # an earlier try of this very upload, or the same bytes
                    generation = there.generation if there is not None else 0
        raise Unavailable(f"{key} is being written by others all the time.")

    def get(self, key: str) -> bytes:
        blob = self._bucket.blob(checked(key))
        with _answering(key):
            return cast(bytes, blob.download_as_bytes(timeout=_TIMEOUT_S, retry=_RETRY))

    def open(self, key: str) -> BinaryIO:
        with _answering(key):
            blob = self._bucket.get_blob(checked(key), timeout=_TIMEOUT_S)
            if blob is None:
                raise NotFound(f"There is no file {key}.")
            # Pinned to what was there now, so a stream never mixes two versions.
            pinned = self._bucket.blob(key, generation=blob.generation)
            return cast(BinaryIO, pinned.open("rb", chunk_size=_CHUNK))

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
