"""Reads a file of installed packages that came from elsewhere against its lock. Believes nothing else of it.

Everything in it belongs to exactly the locked packages: plain files and folders only, each as a package's own record
says, or compiled from a source that is there, or a start script.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from services.executor.environments import tree
from services.executor.environments.programs.layout import Refused, place
from services.executor.environments.wheels import Pinned
from shared.errors import BadRequest

MAX_BYTES = 6 << 30
_MAX_ENTRIES = 1_000_000
_RECORDS_BYTES = 64 << 20
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Packed:
    """A file that was believed. sha256: of it. size_bytes: of what is in it. owner: the workspace it was made for, ""
    for everybody. approved: labels of packages that it was made with a yes of the owner's for."""

    sha256: str
    size_bytes: int
    owner: str = ""
    approved: tuple[str, ...] = ()


def check(stream: BinaryIO, pins: Collection[Pinned]) -> tuple[int, str]:
    """Bytes and SHA-256 of all of it. Raises BadRequest, code `not_as_locked`; what reading raises."""
    source = _Hashed(stream)
    try:
        digests, records = _contents(source)
        source.drain()
        _compare_packages(records, pins)
        _compare_files(digests, records)
    except (tarfile.TarError, EOFError, ValueError, Refused) as error:
        raise _refused(f"cannot be read ({error})") from error
    return source.size, source.digest.hexdigest()


class _Hashed:
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.digest.update(data)
        self.size += len(data)
        if self.size > MAX_BYTES:
            raise _refused("is larger than it may be")
        return data

    def drain(self) -> None:
        while self.read(_CHUNK):
            pass


def _contents(source: _Hashed) -> tuple[dict[str, str], dict[str, bytes]]:
    """What each file's bytes come to, as records write it; and the records."""
    digests: dict[str, str] = {}
    records: dict[str, bytes] = {}
    entries = 0
    with tarfile.open(fileobj=cast("BinaryIO", source), mode="r|", bufsize=_CHUNK) as tar:
        for member in tar:
            entries += 1
            if entries > _MAX_ENTRIES:
                raise _refused("holds more files than it may")
            if place(member.name) != member.name or member.name in digests:
                raise _refused(f"holds {member.name[:100]!r}")
            if member.isdir():
                continue
            if not member.isreg():
                raise _refused(f"holds {member.name[:100]!r}, which is no plain file")
            kept: list[bytes] | None = [] if tree.is_record(member.name) else None
            digests[member.name] = tree.told_of(_pieces(tar, member, kept))
            if kept is not None:
                records[member.name] = b"".join(kept)
                if sum(map(len, records.values())) > _RECORDS_BYTES:
                    raise _refused("has records without end")
    return digests, records


def _pieces(tar: tarfile.TarFile, member: tarfile.TarInfo, kept: list[bytes] | None) -> Iterator[bytes]:
    file = tar.extractfile(member)
    read: Callable[[int], bytes] = file.read if file is not None else lambda size: b""
    while piece := read(_CHUNK):
        if kept is not None:
            kept.append(piece)
        yield piece


def _compare_packages(records: Collection[str], pins: Collection[Pinned]) -> None:
    """Each locked package is there, in its version, and no other."""
    wanted = {(pin.name, pin.version) for pin in pins}
    found = {_named(record.partition("/")[0]) for record in records}
    if found != wanted or len(found) != len(records):
        odd = sorted(f"{name}=={version}" for name, version in found ^ wanted) or ["a package twice"]
        raise _refused(f"differs from the lock in {odd[0][:100]}")


def _named(folder: str) -> tuple[str, Version]:
    name, _, version = folder.removesuffix(".dist-info").rpartition("-")
    try:
        return str(canonicalize_name(name)), Version(version)
    except InvalidVersion as error:
        raise _refused(f"holds {folder[:100]!r}") from error


def _compare_files(digests: dict[str, str], records: dict[str, bytes]) -> None:
    """Where two packages bring the same path, either's bytes will do."""
    allowed: dict[str, set[str]] = {}
    for name, data in records.items():
        for path, digest in tree.read_record(data).items():
            allowed.setdefault(path, set()).add(digest)
        allowed |= {unlisted: {""} for unlisted in tree.unlisted(name)}
    for name, digest in digests.items():
        if tree.made_here(name, digests):
            continue
        known = allowed.get(name, {""} if name.startswith("bin/") else set())
        if "" not in known and digest not in known:
            raise _refused(f"holds another {name[:100]!r} than its package")


def _refused(what: str) -> BadRequest:
    return BadRequest(f"The file of packages {what}.", code="not_as_locked")
