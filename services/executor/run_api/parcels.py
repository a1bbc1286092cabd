"""Folders as a stream of tar. What a run left is hostile: nothing in it is followed, on neither side."""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from shared.errors import DecodeError, TooLarge

_CHUNK = 256 << 10
_BLOCK = 512
_LONG = "AGENTBUILDER.size"  # of a file that is too long to be sent: how long it said it was
_LONGEST = 1 << 40
_HARD = "a-hard-link"  # to nothing, for the collector to name (adapters/kept_box.py does the same)
_ENCODING = ("utf-8", "surrogateescape")


def pack(path: Path, *, left_by_code: bool = False, max_file_bytes: int | None = None) -> Iterator[bytes]:
    """A tar of everything in the folder, in a fixed order, or of the one file. left_by_code: hard links become links
    to nothing and what is no file a pipe, as in a box kept on this machine. Files longer than max_file_bytes arrive as
    long and empty."""
    alone = path.is_file()
    root = os.open(path.parent if alone else path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        names = [path.name] if alone else sorted(os.listdir(root))  # noqa: PTH208 - by descriptor, never by path
        for name in names:
            yield from _entry(root, name, name, left_by_code, max_file_bytes)
    finally:
        os.close(root)
    yield bytes(2 * _BLOCK)


def _entry(
    parent: int, name: str, shown: str, left_by_code: bool, max_file_bytes: int | None
) -> Iterator[bytes]:
    try:
        about = os.stat(name, dir_fd=parent, follow_symlinks=False)
    except OSError:
        return
    info = tarfile.TarInfo(shown)
    info.mode = stat.S_IMODE(about.st_mode)
    if stat.S_ISDIR(about.st_mode):
        info.type = tarfile.DIRTYPE
        yield _head(info)
        with suppress(OSError):
            folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
            try:
                for inner in sorted(os.listdir(folder)):  # noqa: PTH208 - as above
                    yield from _entry(folder, inner, f"{shown}/{inner}", left_by_code, max_file_bytes)
            finally:
                os.close(folder)
    elif stat.S_ISLNK(about.st_mode):
        info.type, info.linkname = tarfile.SYMTYPE, os.readlink(name, dir_fd=parent)
        yield _head(info)
    elif not stat.S_ISREG(about.st_mode):
        info.type = tarfile.FIFOTYPE
        yield _head(info)
    elif left_by_code and about.st_nlink != 1:
        info.type, info.linkname = tarfile.SYMTYPE, _HARD
        yield _head(info)
    elif max_file_bytes is not None and about.st_size > max_file_bytes:
        info.pax_headers = {_LONG: str(about.st_size)}
        yield _head(info)
    else:
        info.size = about.st_size
        yield _head(info)
        yield from _content(parent, name, about.st_size)


def _content(parent: int, name: str, size: int) -> Iterator[bytes]:
    """Exactly so many bytes, whatever the file does meanwhile, and the rest of the block."""
    left = size
    with suppress(OSError):
        source = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent)
        try:
            while left and (data := os.read(source, min(_CHUNK, left))):
                left -= len(data)
                yield data
        finally:
            os.close(source)
    while left:
        yield bytes(min(_CHUNK, left))
        left -= min(_CHUNK, left)
    yield bytes(-size % _BLOCK)


def _head(info: tarfile.TarInfo) -> bytes:
    return info.tobuf(tarfile.PAX_FORMAT, *_ENCODING)


def unpack(stream: BinaryIO, into: Path, *, max_bytes: int, max_entries: int, for_all: bool = False) -> None:
    """Into a folder made anew, with folders that all may enter and files with the modes they had; for_all: that
    all may read as well. Links are made and never followed: every entry lies in a folder made here before.

    Raises: DecodeError for what is no such tar, TooLarge beyond the bounds; what was made by then is gone."""
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True, mode=0o700)
    try:
        with tarfile.open(
            fileobj=stream, mode="r|", encoding=_ENCODING[0], errors=_ENCODING[1], bufsize=_CHUNK
        ) as tar:
            _Unpacking(into, max_bytes, max_entries, 0o444 if for_all else 0).take_all(tar)
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        shutil.rmtree(into, ignore_errors=True)
        raise DecodeError(f"The folder that was sent cannot be read: {error}") from error
    except TooLarge:
        shutil.rmtree(into, ignore_errors=True)
        raise


class _Unpacking:
    def __init__(self, into: Path, max_bytes: int, max_entries: int, modes: int) -> None:
        self._modes = modes
        self._into = into
        self._bytes = max_bytes
        self._entries = max_entries
        self._folders = {""}

    def take_all(self, tar: tarfile.TarFile) -> None:
        for member in tar:
            self._entries -= 1
            self._bytes -= member.size if member.isreg() else 0
            if self._entries < 0 or self._bytes < 0:
                raise TooLarge("More was sent than an attempt may leave.")
            self._take(tar, member)

    def _take(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        parts = member.name.split("/")
        parent = "/".join(parts[:-1])
        if parent not in self._folders or any(part in ("", ".", "..") for part in parts):
            raise ValueError("an entry lies outside of what was sent")
        target = self._into / member.name
        if member.isdir():
            target.mkdir()
            target.chmod(0o755)
            self._folders.add(member.name)
        elif member.issym():
            target.symlink_to(member.linkname)
        elif not member.isreg():
            os.mkfifo(target, 0o600)
        else:
            self._file(tar, member, target)

    def _file(self, tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
        source = tar.extractfile(member)
        with target.open("xb") as writer:
            if source is not None:
                shutil.copyfileobj(source, writer, _CHUNK)
            if writer.tell() != member.size:
                raise ValueError("it ends too early")
            if _LONG in member.pax_headers:
                writer.truncate(min(int(member.pax_headers[_LONG]), _LONGEST))
            os.fchmod(writer.fileno(), member.mode & 0o7777 | self._modes)


class Incoming:
    """A readable stream of what an iterator yields, for `unpack`."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._buffer = b""

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._buffer) < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._buffer += piece
        cut = len(self._buffer) if size < 0 else size
        data, self._buffer = self._buffer[:cut], self._buffer[cut:]
        return data
