"""The small files of control groups: read, written, made and removed, and none of them is there for sure."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_MOST_READ = 64 << 10
_TRIES = 5


def text(path: str) -> str:
    """These files are read many times a run; one system call for each step, and no more."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(file, _MOST_READ).decode("ascii", "replace")
    finally:
        os.close(file)


def number(path: str) -> int:
    try:
        return int(text(path))
    except (OSError, ValueError):
        return 0


def field(path: str, key: str) -> int:
    """The number after `key` in a file of "key number" lines; 0 when absent."""
    with suppress(OSError, ValueError, IndexError):
        for line in text(path).splitlines():
            if line.startswith(key + " "):
                return int(line.split()[1])
    return 0


def write(path: str, value: int | str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, str(value).encode("ascii"))
    finally:
        os.close(file)


def pids(folder: str) -> list[int]:
    with suppress(OSError, ValueError), open(f"{folder}/cgroup.procs", encoding="ascii") as file:
        return [int(line) for line in file]
    return []


def remove(folder: str) -> bool:
    try:
        os.rmdir(folder)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def folders(parent: Path) -> list[Path]:
    """Empty where it is gone: other launchers of this machine make and remove theirs at the same time."""
    with suppress(OSError):
        return sorted(entry for entry in parent.iterdir() if entry.is_dir())
    return []


def make(folder: str) -> None:
    """Its parent may go at any moment while it is empty: launchers tidy up beside their own."""
    for _ in range(_TRIES):
        with suppress(FileNotFoundError):
            os.makedirs(folder, exist_ok=True)
            return
    os.makedirs(folder, exist_ok=True)
