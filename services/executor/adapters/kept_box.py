"""Taking what a run left out of a box that only its descriptor reaches, without following anything in it."""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path

_KEPT = ("outputs", "state")


def keep(box_fd: int, into: Path, *, disk_bytes: int, inodes: int) -> Path:
    """Copy outputs/ and state/ below a new folder `into`; symbolic links stay links and pipes stay pipes, so
    that the collector sees and refuses them. Stops quietly at either bound."""
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True, mode=0o700)
    left = _Left(disk_bytes, inodes)
    root = os.open("box", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=box_fd)
    try:
        for name in _KEPT:
            with suppress(OSError):
                _copy(root, name, into / name, left)
    finally:
        os.close(root)
    return into


class _Left:
    def __init__(self, size: int, count: int) -> None:
        self.size = size
        self.count = count


def _copy(parent: int, name: str, target: Path, left: _Left) -> None:
    left.count -= 1
    if left.count < 0:
        return
    about = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if stat.S_ISLNK(about.st_mode):
        target.symlink_to(os.readlink(name, dir_fd=parent))
    elif stat.S_ISFIFO(about.st_mode):
        os.mkfifo(target, 0o600)
    elif stat.S_ISDIR(about.st_mode):
        target.mkdir(mode=0o700)
        folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
        try:
            for inner in os.listdir(folder):  # noqa: PTH208 - by descriptor, never by path
                with suppress(OSError):
                    _copy(folder, inner, target / inner, left)
        finally:
            os.close(folder)
    elif stat.S_ISREG(about.st_mode) and about.st_size <= left.size:
        left.size -= about.st_size
        source = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent)
        with open(source, "rb") as reader, open(target, "xb") as writer:
            shutil.copyfileobj(reader, writer)
