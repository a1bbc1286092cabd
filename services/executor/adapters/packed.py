"""Installed packages as one file for each lock: packed once, fetched by runs elsewhere straight from the bucket."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from services.executor import repository
from services.executor.run_api.parcels import pack
from shared.blobs.port import Blobs
from shared.store.port import Cause, Store

_CAUSE = Cause("", "service:executor")
_NAME = re.compile(r"[A-Za-z0-9_-]{8,100}")


class PackedSites:
    """folder: room for one file while it is packed."""

    def __init__(self, store: Store, blobs: Blobs, folder: Path) -> None:
        self._store = store
        self._blobs = blobs
        self._folder = folder

    def links(self, sites: Sequence[Path], lasts_s: int) -> dict[Path, tuple[str, str]]:
        """Address and SHA-256 of each, as far as this bucket gives addresses; what is missing goes through the Run
        API. A site is a folder that never changes, named by what is in it. Raises: Unavailable."""
        found = {}
        for site in sites:
            key = f"executor/packages/{site.name}.tar"
            if _NAME.fullmatch(site.name) and (address := self._blobs.link(key, lasts_s)):
                found[site] = (address, self._packed(site, key))
        return found

    def _packed(self, site: Path, key: str) -> str:
        document = self._store.get(repository.PACKED, site.name)
        if document is not None and self._blobs.info(key) is not None:
            return str(document.data["sha256"])
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._folder) as file:
            digest = hashlib.sha256()
            for piece in pack(site):
                digest.update(piece)
                file.write(piece)
            file.flush()
            self._blobs.put_file(key, Path(file.name))
        about = {"sha256": digest.hexdigest()}
        self._store.transact(lambda tx: tx.put(repository.PACKED, site.name, about), cause=_CAUSE)
        return digest.hexdigest()
