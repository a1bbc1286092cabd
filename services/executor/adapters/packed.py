"""Installed packages, one file for each lock: builder jobs leave it in the bucket, runs elsewhere fetch it there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from services.executor import repository
from services.executor.environments.packed import Packed
from shared.blobs.port import Blobs, UploadLink
from shared.errors import BadRequest, NotFound
from shared.store.port import Cause, Store, Tx

_CAUSE = Cause("", "service:executor")
_NAME = re.compile(r"[A-Za-z0-9_-]{8,100}")
_OWNER = re.compile(r"[A-Za-z0-9_-]{1,80}")
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Lent:
    """address "": this bucket gives none, and the file must be read here."""

    address: str
    sha256: str
    read: Callable[[], Iterator[bytes]]


class PackedSites:
    """Environments by their ids. All raise Unavailable."""

    def __init__(self, store: Store, blobs: Blobs) -> None:
        self._store = store
        self._blobs = blobs

    def find(self, id: str) -> Packed | None:
        """None also when its file is gone."""
        document = self._store.get(repository.PACKED, id) if _NAME.fullmatch(id) else None
        if document is None:
            return None
        found = Packed(
            document.data["sha256"],
            document.data.get("size_bytes", 0),
            document.data.get("owner", ""),
            tuple(document.data.get("approved", ())),
        )
        return found if self._blobs.info(_key(id, found.owner)) is not None else None

    def links(self, sites: Sequence[Path], lasts_s: int) -> dict[Path, Lent]:
        """Of those that are packed. A site is named by its environment."""
        found = {}
        for site in sites:
            packed = self.find(site.name)
            if packed is not None:
                key = _key(site.name, packed.owner)
                found[site] = Lent(self._blobs.link(key, lasts_s), packed.sha256, partial(self._read, key))
        return found

    def upload_link(self, build_id: str, lasts_s: int, at_most_bytes: int) -> UploadLink | None:
        return self._blobs.upload_link(_incoming(build_id), lasts_s, at_most_bytes)

    def take_in(self, build_id: str, file: Path) -> None:
        """What came without a link; from here on as if it had come by one."""
        self._blobs.put_file(_incoming(build_id), file)

    def arrived(self, build_id: str) -> Iterator[bytes]:
        """Raises (when it is read): NotFound."""
        return self._read(_incoming(build_id))

    def keep(self, build_id: str, id: str, lock: str, packed: Packed) -> None:
        """What arrived is the environment's file from now on."""
        self._blobs.put(_recipe(id, packed.owner), lock.encode())
        self._blobs.copy(_incoming(build_id), _key(id, packed.owner))
        about = {
            "sha256": packed.sha256,
            "size_bytes": packed.size_bytes,
            "owner": packed.owner,
            "approved": list(packed.approved),
        }
        self._store.transact(lambda tx: tx.put(repository.PACKED, id, about), cause=_CAUSE)

    def drop(self, build_id: str) -> None:
        """What arrived, if anything did. May be called twice."""
        self._blobs.delete(_incoming(build_id))

    def lock(self, id: str) -> str | None:
        """Of an environment that everybody may use, also one whose file is gone."""
        with suppress(NotFound):
            return self._blobs.get(_recipe(id, "")).decode()
        return None

    def forget(self, owner: str) -> None:
        """All that was made for that workspace. May be called twice. Raises BadRequest where that is no
        workspace's name."""
        if not _OWNER.fullmatch(owner):
            raise BadRequest("A workspace's name may hold letters, digits, dash and underscore only.")
        for found in list(self._blobs.list(_own(owner))):
            id = found.key.removeprefix(_own(owner)).partition(".")[0]
            self._store.transact(partial(_forget, id), cause=_CAUSE)
            self._blobs.delete(found.key)

    def _read(self, key: str) -> Iterator[bytes]:
        with closing(self._blobs.open(key)) as stream:
            while piece := stream.read(_CHUNK):
                yield piece


def _forget(id: str, tx: Tx) -> None:
    tx.delete(repository.PACKED, id)


def _own(owner: str) -> str:
    return f"executor/packages/own/{owner}/"


def _key(id: str, owner: str) -> str:
    return f"{_own(owner)}{id}.tar" if owner else f"executor/packages/{id}.tar"


def _recipe(id: str, owner: str) -> str:
    return f"{_own(owner)}{id}.lock" if owner else f"executor/recipes/{id}.lock"


def _incoming(build_id: str) -> str:
    return f"executor/incoming/{build_id}.tar"
