"""Boxes: the writable part of a sandbox, one small tmpfs each, bounded in bytes and inodes.

As root they are mounted where the executor can read them. An ordinary user's box lives in a mount namespace
of its own and reaches the executor as a directory descriptor.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from services.executor.launcher import kernel

# what the sandbox sees as /box, /tmp and /dev/shm; one tmpfs, so one bound for all three
PARTS = {"box": "/box", "tmp": "/tmp", "shm": "/dev/shm"}  # noqa: S108 - inside the sandbox
_SPARE_INODES = 8  # the parts themselves and the tmpfs root
# What bubblewrap reads on its way, and where the stage lies (stage.py): everything else goes.
_NEEDED = frozenset({"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc", "proc", "sys"})


@dataclass(frozen=True)
class Fill:
    bytes_left: int
    inodes_left: int


def mount(folder: str, *, disk_bytes: int, inodes: int, owner: int) -> None:
    """Mount an empty box on an existing folder, owned by `owner` (uid and gid)."""
    kernel.mount(
        "box",
        folder,
        "tmpfs",
        kernel.MS_NOSUID | kernel.MS_NODEV,
        f"size={disk_bytes},nr_inodes={inodes + _SPARE_INODES},mode=0700",
    )
    for part in PARTS:
        os.mkdir(f"{folder}/{part}", 0o700)
    for part in ("outputs", "state"):
        os.mkdir(f"{folder}/box/{part}", 0o700)
    if owner != os.geteuid():
        for part in ("box/outputs", "box/state", *PARTS, ""):
            os.chown(f"{folder}/{part}", owner, owner)


def fill(where: str | int) -> Fill:
    with suppress(OSError):
        stat = os.statvfs(where)
        return Fill(stat.f_bavail * stat.f_frsize, stat.f_favail)
    return Fill(1 << 30, 1 << 30)


def mount_points() -> list[str]:
    """From the kernel's own list: os.path.ismount does not see a folder bound to itself."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        escaped = [line.split(" ")[4] for line in file]
    return [re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), point) for point in escaped]


def unneeded(points: Iterable[str]) -> tuple[str, ...]:
    """The highest of these mount points on which nothing of a sandbox lies once its folders are staged."""
    chosen: list[str] = []
    for point in sorted(points):
        top = point.split("/")[1]
        above = any(point == one or point.startswith(f"{one}/") for one in chosen)
        if top and top not in _NEEDED and not above:
            chosen.append(point)
    return tuple(chosen)


def remove_deleted() -> None:
    """Boxes of folders that were deleted while mounted: nothing is left of such a folder but mount points, and
    nobody will start there again."""
    points = [Path(point) for point in mount_points()]
    for boxes in [point for point in points if point.name == "boxes"]:
        with suppress(OSError):
            if [entry.name for entry in boxes.parent.iterdir()] != ["boxes"]:
                continue
            for point in reversed([point for point in points if point.is_relative_to(boxes)]):
                kernel.unmount(str(point))
            for left in boxes.iterdir():
                left.rmdir()
            boxes.rmdir()
            boxes.parent.rmdir()


class Boxes:
    """The folder of all boxes. As root a mount of its own, so that a sandbox can drop the others' at once."""

    def __init__(self, folder: Path, *, mounted: bool) -> None:
        self._folder = folder
        self._mounted = mounted

    def open(self) -> None:
        self._folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        if self._mounted and str(self._folder) not in mount_points():
            kernel.mount(str(self._folder), str(self._folder), flags=kernel.MS_BIND)
            kernel.mount("", str(self._folder), flags=kernel.MS_PRIVATE)

    def path(self, id: str) -> str:
        return str(self._folder / id)

    def id_of(self, host: str) -> str:
        """Whose box a host path lies in; "" when in none."""
        inside = os.path.relpath(host, self._folder)
        return "" if inside.startswith("..") else inside.split("/", 1)[0]

    def make(self, id: str, *, disk_bytes: int, inodes: int, owner: int) -> str:
        """An empty box; as an ordinary user only the folder it will be mounted on."""
        path = self.path(id)
        os.mkdir(path, 0o700)
        if self._mounted:
            mount(path, disk_bytes=disk_bytes, inodes=inodes, owner=owner)
        return path

    def remove(self, id: str) -> None:
        """Also a box that is half made or already gone."""
        path = self.path(id)
        with suppress(OSError):
            kernel.unmount(path)
        shutil.rmtree(path, ignore_errors=True)

    def left(self) -> list[str]:
        return sorted(entry.name for entry in self._folder.iterdir()) if self._folder.is_dir() else []

    def close(self) -> None:
        for id in self.left():
            self.remove(id)
        if self._mounted:
            with suppress(OSError):
                kernel.unmount(str(self._folder))
