"""Takes what code left behind and believes nothing: regular files only, opened without following links,
counted while copying. The copy is the platform's; the box is never read again."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tarfile
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

_CHUNK = 1 << 20
_MAX_FILES = 200
_MAX_DEPTH = 6
_MAX_NAME = 180
_MAX_PROBLEMS = 20  # one is enough to refuse; thousands would not fit the document they are kept in


@dataclass
class Collected:
    """files: relative name -> size. hashes: name -> SHA-256. problems: one sentence for each of the first
    things left out."""

    folder: Path
    files: dict[str, int] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def leave_out(self, shown: str, why: str) -> None:
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(f"{shown}: {why}")


def collect(source: Path, target: Path, *, max_bytes: int) -> Collected:
    """Copy `source`'s regular files into the fresh folder `target`. A missing source is an empty one."""
    target.mkdir(parents=True, exist_ok=True)
    result = Collected(target)
    try:
        folder = os.open(source, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, OSError):
        return result
    try:
        _walk(folder, "", target, result, max_bytes, depth=0)
    finally:
        os.close(folder)
    return result


def _walk(folder: int, prefix: str, target: Path, result: Collected, max_bytes: int, depth: int) -> None:
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries)
    for name in names:
        shown = f"{prefix}{name}"
        if not _name_is_plain(name):
            result.leave_out(ascii(shown)[:80], "unusual name")
            continue
        try:
            fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except OSError:
            result.leave_out(shown, "not a regular file")
            continue
        try:
            _take(fd, name, shown, target, result, max_bytes, depth)
        finally:
            os.close(fd)


def _take(
    fd: int, name: str, shown: str, target: Path, result: Collected, max_bytes: int, depth: int
) -> None:
    kind = os.fstat(fd)
    if stat.S_ISDIR(kind.st_mode):
        if depth + 1 >= _MAX_DEPTH:
            result.leave_out(shown, "too deep")
            return
        below = target / name
        below.mkdir(exist_ok=True)
        _walk(fd, f"{shown}/", below, result, max_bytes, depth + 1)
    elif not stat.S_ISREG(kind.st_mode) or kind.st_nlink != 1:
        result.leave_out(shown, "not a regular file")
    elif len(result.files) >= _MAX_FILES:
        result.leave_out(shown, f"more than {_MAX_FILES} files")
    else:
        _copy(fd, target / name, shown, result, max_bytes)


def _copy(fd: int, path: Path, shown: str, result: Collected, max_bytes: int) -> None:
    left = max_bytes - sum(result.files.values())
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as sink:
        while chunk := os.read(fd, _CHUNK):
            size += len(chunk)
            if size > left:
                break
            digest.update(chunk)
            sink.write(chunk)
    if size > left:
        path.unlink()
        result.leave_out(shown, "over the size limit")
        return
    result.files[shown] = size
    result.hashes[shown] = digest.hexdigest()


def _name_is_plain(name: str) -> bool:
    odd = any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in name)
    return (
        bool(name)
        and len(name.encode(errors="replace")) <= _MAX_NAME
        and not odd
        and not name.startswith(".")
    )


def archive(collected: Collected) -> bytes:
    """A tar of the collected copy that is equal for equal content."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name in sorted(collected.files):
            data = (collected.folder / name).read_bytes()
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()
