"""Looks over what a builder sandbox wrote, from outside: only plain files and folders, bytes as the wheel's
own record says, sizes bounded. Follows no link and parses nothing but the record.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import stat
import sys
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from services.executor.environments.programs.layout import MAX_DEPTH, Refused, is_script, place
from shared.errors import BadRequest

_RECORD_BYTES = 32 << 20
_CHUNK = 1 << 20
_UNLISTED = ("RECORD", "RECORD.jws", "RECORD.p7s")
_COMPILED = f".{sys.implementation.cache_tag}.pyc"


@dataclass(frozen=True)
class Tree:
    """files: paths below the folder, sorted. size_bytes: of them all."""

    files: tuple[str, ...]
    size_bytes: int


def check(root: Path, *, max_bytes: int, max_files: int) -> Tree:
    """Everything below `root` becomes ours and readable by all. Raises BadRequest, code `bad_wheel`."""
    found: list[str] = []
    size = 0
    for path, info in _walk(root, 0):
        size += info.st_size
        if len(found) >= max_files or size > max_bytes:
            raise _bad("more files or bytes than a package may hold")
        found.append(path)
    names = {os.path.relpath(path, root) for path in found}
    _compare(root, names)
    return Tree(tuple(sorted(names)), size)


def _walk(folder: Path, depth: int) -> Iterator[tuple[str, os.stat_result]]:
    if depth > MAX_DEPTH:
        raise _bad("folders nested too deep")
    _take(folder, 0o755)
    with os.scandir(folder) as entries:
        for entry in entries:
            info = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(info.st_mode):
                yield from _walk(Path(entry.path), depth + 1)
            elif stat.S_ISREG(info.st_mode) and info.st_nlink == 1:
                _take(Path(entry.path), 0o755 if info.st_mode & 0o111 else 0o644)
                yield entry.path, info
            else:
                raise _bad(f"{entry.name[:100]!r} is no plain file")


def _take(path: Path, mode: int) -> None:
    if os.geteuid() == 0:
        os.chown(path, 0, 0, follow_symlinks=False)
    path.chmod(mode)


def _compare(root: Path, names: set[str]) -> None:
    records = [name for name in names if is_record(name)]
    if len(records) != 1:
        raise _bad("no record of its files")
    with (root / records[0]).open("rb") as file:
        told = read_record(file.read(_RECORD_BYTES))
    free = unlisted(records[0])
    for name in names - free:
        if made_here(name, names):
            continue
        if name not in told and not name.startswith("bin/"):
            raise _bad(f"{name[:100]!r} is not in its record")
        wanted = told.get(name, "")
        if wanted and _digest(root / name) != wanted:
            raise _bad(f"{name[:100]!r} is not what its record says")
    absent = {name for name in told.keys() - names - free if "__pycache__/" not in name}
    if absent:
        raise _bad(f"{min(absent)[:100]!r} is in its record but not there")


def is_record(name: str) -> bool:
    return name.endswith(".dist-info/RECORD") and name.count("/") == 1


def unlisted(record: str) -> set[str]:
    """What a record does not tell the bytes of: itself, and what signs it."""
    folder = record.rpartition("/")[0]
    return {f"{folder}/{name}" for name in _UNLISTED}


def made_here(name: str, names: Collection[str]) -> bool:
    """A file compiled from a source that is there."""
    folder, _, file = name.rpartition("/")
    parent, _, last = folder.rpartition("/")
    source = file.removesuffix(_COMPILED) + ".py"
    return last == "__pycache__" and file.endswith(_COMPILED) and (f"{parent}/{source}".lstrip("/")) in names


def read_record(data: bytes) -> dict[str, str]:
    """Path below the site folder -> `sha256=…`, "" where there is none to compare with. Raises BadRequest."""
    text = data.decode("utf-8", errors="replace")
    told: dict[str, str] = {}
    try:
        for row in csv.reader(io.StringIO(text)):
            if row:
                known = row[1] if len(row) > 1 and row[1].startswith("sha256=") else ""
                told[place(row[0])] = "" if is_script(row[0]) else known
    except (csv.Error, Refused) as error:
        raise _bad(f"a record that cannot be read ({error})") from error
    return told


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return told_of(iter(lambda: file.read(_CHUNK), b""))


def told_of(pieces: Iterable[bytes]) -> str:
    """As a record tells what a file's bytes come to."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return "sha256=" + base64.urlsafe_b64encode(digest.digest()).decode().rstrip("=")


def _bad(what: str) -> BadRequest:
    return BadRequest(f"The wheel holds {what}.", code="bad_wheel")
