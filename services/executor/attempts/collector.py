"""Takes what code left behind and believes nothing: regular files only, opened without following links,
counted while copying. The copy is the platform's; the box is never read again.

What is refused is refused whole and named; the other files still come. docs/decisions/: "what a run leaves".
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tarfile
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.executor.attempts.left_out import LeftOut

_CHUNK = 1 << 20
_MAX_FILES = 200
_MAX_DEPTH = 6
_MAX_NAME = 180  # bytes; file systems take 255, and a download adds to it
_MAX_PATH = 600
_MAX_SEEN = 10_000  # entries of all folders together; a box has fewer inodes
_MAX_PROBLEMS = 20  # one is enough to refuse; thousands would not fit the document they are kept in
_SHOWN = 80
# Source: learn.microsoft.com/windows/win32/fileio/naming-a-file
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", *(f"{word}{n}" for word in ("com", "lpt") for n in "123456789¹²³")]
)
_UNFIT = frozenset('\\<>"|?*')


@dataclass
class Collected:
    """files: relative name -> size. hashes: name -> SHA-256. problems: the first things left out."""

    folder: Path
    files: dict[str, int] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    problems: list[LeftOut] = field(default_factory=list)
    size: int = 0
    seen: int = 0

    def leave_out(self, shown: str, code: str) -> None:
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(LeftOut(plain(shown), code))


def collect(source: Path, target: Path, *, max_bytes: int, compose: bool = True) -> Collected:
    """Copy `source`'s regular files into the folder `target`, which is made when there is something to put there.
    A missing source is an empty one.

    compose: a name in decomposed characters (as some computers write Korean) is kept composed; otherwise, where
    the code must find its file again under the very name it gave, such a name is refused.
    """
    result = Collected(target)
    try:
        folder = os.open(source, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return result
    try:
        Walk(result, max_bytes, compose).enter(folder, "", target, 0)
    finally:
        os.close(folder)
    return result


@dataclass
class Walk:
    result: Collected
    max_bytes: int
    compose: bool

    def enter(self, folder: int, prefix: str, target: Path, depth: int) -> None:
        result = self.result
        names = []
        with os.scandir(folder) as entries:
            for entry in entries:
                result.seen += 1
                if result.seen > _MAX_SEEN:
                    result.leave_out(prefix or ".", "too_many")
                    break
                names.append(entry.name)
        if names:
            target.mkdir(parents=True, exist_ok=True)
        alike = Counter(map(_alike, names))
        for name in sorted(names):
            shown = prefix + unicodedata.normalize("NFC", name)
            problem = name_problem(name, compose=self.compose)
            if problem is None and alike[_alike(name)] > 1:
                problem = "twin"
            if problem is None and len(shown.encode(errors="replace")) > _MAX_PATH:
                problem = "long_name"
            if problem is not None:
                result.leave_out(prefix + name, problem)
                continue
            self._open(folder, name, shown, target / unicodedata.normalize("NFC", name), depth)

    def _open(self, folder: int, name: str, shown: str, target: Path, depth: int) -> None:
        try:
            about = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISLNK(about.st_mode):
                self.result.leave_out(shown, "link")
                return
            if not stat.S_ISREG(about.st_mode) and not stat.S_ISDIR(about.st_mode):
                self.result.leave_out(shown, "special")
                return
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            fd = os.open(name, flags, dir_fd=folder)
        except OSError:
            self.result.leave_out(shown, "unreadable")
            return
        try:
            self._take(fd, shown, target, depth)
        finally:
            os.close(fd)

    def _take(self, fd: int, shown: str, target: Path, depth: int) -> None:
        about = os.fstat(fd)
        result = self.result
        if stat.S_ISDIR(about.st_mode):
            if depth + 1 >= _MAX_DEPTH:
                result.leave_out(shown, "too_deep")
                return
            self.enter(fd, f"{shown}/", target, depth + 1)
        elif not stat.S_ISREG(about.st_mode):
            result.leave_out(shown, "special")
        elif about.st_nlink != 1:
            result.leave_out(shown, "link")
        elif about.st_mode & (stat.S_ISUID | stat.S_ISGID):
            result.leave_out(shown, "setuid")
        elif len(result.files) >= _MAX_FILES:
            result.leave_out(shown, "too_many")
        else:
            self.copy(fd, about, shown, target)

    def copy(self, fd: int, before: os.stat_result, shown: str, path: Path) -> None:
        result = self.result
        left = self.max_bytes - result.size
        if before.st_size > left:  # also what claims to be long and holds nothing
            result.leave_out(shown, "too_big")
            return
        digest, size = hashlib.sha256(), 0
        problem = None
        with path.open("xb") as sink:
            while chunk := os.read(fd, _CHUNK):
                size += len(chunk)
                if size > left:
                    problem = "too_big"
                    break
                digest.update(chunk)
                sink.write(chunk)
        after = os.fstat(fd)
        if size != before.st_size or (after.st_size, after.st_mtime_ns) != (
            before.st_size,
            before.st_mtime_ns,
        ):
            problem = problem or "changed"
        if problem is not None:
            path.unlink()
            result.leave_out(shown, problem)
            return
        result.files[shown] = size
        result.hashes[shown] = digest.hexdigest()
        result.size += size


def name_problem(name: str, *, compose: bool = True) -> str | None:
    """What is wrong with one part of a path; None for a name that is the same, and harmless, everywhere."""
    if not name or any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for c in name):
        return "odd_name"
    if len(unicodedata.normalize("NFC", name).encode()) > _MAX_NAME:
        return "long_name"
    if name[0] in ".-":
        return "hidden" if name[0] == "." else "dash"
    if name[-1] in ". " or name[0] == " " or _UNFIT & set(name):
        return "unfit_name"
    if name.partition(".")[0].rstrip().casefold() in _DEVICES:
        return "unfit_name"
    if not compose and not unicodedata.is_normalized("NFC", name):
        return "not_composed"
    return None


def _alike(name: str) -> str:
    """Equal for names that some file systems take for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def plain(shown: str) -> str:
    """Readable where it can be; what could deceive is spelled out."""
    text = "".join(c if c == "/" or name_problem("a" + c + "a") is None else ascii(c)[1:-1] for c in shown)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def archive(collected: Collected) -> bytes:
    """A tar of the collected copy: regular files only, equal bytes for equal content."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted(collected.files):
            data = (collected.folder / name).read_bytes()
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def sentences(problems: Sequence[LeftOut], language: str) -> tuple[str, ...]:
    return tuple(problem.sentence("ko" if language == "ko" else "en") for problem in problems)
