"""Taking what a run left out of a box that only its descriptor reaches, without following anything in it."""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path

_KEPT = ("outputs", "state")


def keep(box_fd: int, into: Path, *, disk_bytes: int, inodes: int) -> Path:
    """Copy outputs/ and state/ below a new folder `into`. What the collector refuses must be there for it to
    name: symbolic links stay links, a hard link becomes a link to nothing, whatever is no file a pipe, and a
    file that is longer than what may be kept as long and empty. Stops quietly at the number of inodes."""
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
    elif stat.S_ISDIR(about.st_mode):
        target.mkdir(mode=0o700)
        folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
        try:
            for inner in os.listdir(folder):  # noqa: PTH208 - by descriptor, never by path
                with suppress(OSError):
                    _copy(folder, inner, target / inner, left)
        finally:
            os.close(folder)
    elif not stat.S_ISREG(about.st_mode):
        os.mkfifo(target, 0o600)
    elif about.st_nlink != 1:
        target.symlink_to("a-hard-link")
    elif about.st_size > left.size:
        target.touch(0o600)
        os.truncate(target, about.st_size)
    else:
        left.size -= about.st_size
        source = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent)
        with open(source, "rb") as reader, open(target, "xb") as writer:
            shutil.copyfileobj(reader, writer)
            os.fchmod(writer.fileno(), stat.S_IMODE(about.st_mode))
