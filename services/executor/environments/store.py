"""Unpacked wheels by their hash, made once, and site folders made of hard links to them.

Everything is built beside and renamed into place last, so a death leaves either all of it or nothing.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from services.executor.environments import tree
from shared.ids import Ids

MAX_BYTES = 4 << 30  # one wheel unpacked: the largest in common use come to three
MAX_FILES = 60_000
_PYTHON = f"{sys.implementation.cache_tag}-{sys.platform}"


@dataclass(frozen=True)
class Stored:
    """root/site holds the files; root/files lists them."""

    root: Path
    size_bytes: int


class WheelStore:
    """root: `<data>/wheels`. Wheels of the public index lie at root/<sha256>, a workspace's own builds at
    root/<workspace>/<sha256>. scratch: a folder on the same file system, emptied at start."""

    def __init__(self, root: Path, scratch: Path, ids: Ids) -> None:
        self.root = root
        self._locks = scratch / "locks"
        self._scratch = scratch
        self._ids = ids

    def folder(self, sha256: str, owner: str = "") -> Path:
        return self.root / owner / sha256 if owner else self.root / sha256

    def find(self, sha256: str, owner: str = "") -> Stored | None:
        """None also for one that another interpreter compiled."""
        folder = self.folder(sha256, owner)
        try:
            about = json.loads((folder / "about.json").read_bytes())
        except (OSError, ValueError):
            return None
        return Stored(folder, about["size_bytes"]) if about["python"] == _PYTHON else None

    def add(self, sha256: str, owner: str, unpack: Callable[[Path], None]) -> Stored:
        """`unpack` fills an empty folder from a sandbox; what it left is checked before it counts."""
        folder = self.folder(sha256, owner)
        with held(self._locks / f"{owner}-{sha256}"):
            known = self.find(sha256, owner)
            if known is not None:
                return known
            beside = self._scratch / self._ids.new("whl")
            site = beside / "site"
            site.mkdir(parents=True)
            try:
                unpack(site)
                found = tree.check(site, max_bytes=MAX_BYTES, max_files=MAX_FILES)
                (beside / "files").write_text("\0".join(found.files))
                about = {"python": _PYTHON, "size_bytes": found.size_bytes}
                (beside / "about.json").write_text(json.dumps(about))
                shutil.rmtree(folder, ignore_errors=True)
                folder.parent.mkdir(parents=True, exist_ok=True)
                _into_place(beside, folder)
            finally:
                shutil.rmtree(beside, ignore_errors=True)
        return Stored(folder, found.size_bytes)

    def link(self, wheels: Sequence[Stored], target: Path) -> None:
        """One site folder of hard links. Where two wheels bring the same path, the later one's stands."""
        with held(self._locks / target.name):
            if target.exists():
                return
            beside = self._scratch / self._ids.new("env")
            beside.mkdir(parents=True)
            try:
                for wheel in wheels:
                    _link_all(wheel.root, beside)
                    with suppress(OSError):
                        os.utime(wheel.root)
                beside.chmod(0o755)
                beside.rename(target)
            finally:
                shutil.rmtree(beside, ignore_errors=True)


def _into_place(beside: Path, folder: Path) -> None:
    """Another process may have brought the same wheel there just now: the same bytes, so either will do."""
    try:
        beside.rename(folder)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise


def _link_all(wheel: Path, into: Path) -> None:
    made: set[str] = set()
    source, target = f"{wheel}/site/", f"{into}/"
    for name in (wheel / "files").read_text().split("\0"):
        folder = name.rpartition("/")[0]
        if folder not in made:
            os.makedirs(target + folder, mode=0o755, exist_ok=True)  # noqa: PTH103 - thousands of them: text is faster
            made.add(folder)
        try:
            os.link(source + name, target + name)
        except FileExistsError:
            os.unlink(target + name)  # noqa: PTH108
            os.link(source + name, target + name)
        except OSError as error:
            if error.errno not in (errno.EMLINK, errno.EPERM, errno.EXDEV, errno.ENOTSUP):
                raise
            shutil.copy2(source + name, target + name)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """One builder at a time, whichever thread or process: the others wait and find it made. The file stays:
    to remove it would let two hold it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
