"""Blobs as files under one folder. Written beside and renamed into place, so a reader never sees half."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from shared.blobs.keys import checked, checked_prefix
from shared.blobs.port import BlobInfo, UploadLink
from shared.errors import BadRequest, NotFound
from shared.ids import Ids


class FileBlobs:
    def __init__(self, root: Path, ids: Ids) -> None:
        self._root = root
        self._ids = ids

    def put(self, key: str, data: bytes) -> None:
        target, beside = self._places(key)
        beside.write_bytes(data)
        beside.replace(target)

    def put_file(self, key: str, path: Path) -> None:
        target, beside = self._places(key)
        with path.open("rb") as source, beside.open("wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
        beside.replace(target)

    def get(self, key: str) -> bytes:
        with self.open(key) as stream:
            return stream.read()

    def open(self, key: str) -> BinaryIO:
        try:
            return self._path(key).open("rb")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise NotFound(f"There is no file {key}.") from error

    def info(self, key: str) -> BlobInfo | None:
        try:
            about = self._path(key).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return BlobInfo(key, about.st_size) if stat.S_ISREG(about.st_mode) else None

    def delete(self, key: str) -> None:
        path = self._path(key)
        if path.is_file():
            path.unlink(missing_ok=True)

    def link(self, key: str, lasts_s: int) -> str:
        checked(key)
        return ""

    def upload_link(self, key: str, lasts_s: int, at_most_bytes: int) -> UploadLink | None:
        checked(key)
        return None

    def copy(self, key: str, to: str) -> None:
        with self.open(key) as source:
            target, beside = self._places(to)
            with beside.open("wb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
        beside.replace(target)

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        folder = self._root / checked_prefix(prefix).rpartition("/")[0]
        found = sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.endswith("~"))
        for path in found:
            key = path.relative_to(self._root).as_posix()
            if key.startswith(prefix) and (info := self.info(key)) is not None:
                yield info

    def _path(self, key: str) -> Path:
        return self._root / checked(key)

    def _places(self, key: str) -> tuple[Path, Path]:
        target = self._path(key)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise BadRequest(f"{key!r} lies under a key that is a file.") from error
        if target.is_dir():
            raise BadRequest(f"{key!r} is the folder of other keys.")
        return target, target.with_name(f"{target.name}.{self._ids.new('tmp')}~")
