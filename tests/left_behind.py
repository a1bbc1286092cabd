"""What a test run leaves on this machine: mounts in its folders, which slow every later sandbox, and processes."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from tests.emulators import FOLDER_VARIABLE, OWNER_VARIABLE

_ENDS_S = 60.0
_PAUSE_S = 0.1


def note(temporary: Path) -> None:
    """Each process of the run says where its tests' folders are."""
    noted = Path(os.environ[FOLDER_VARIABLE]) / "temporary"
    noted.mkdir(exist_ok=True)
    (noted / str(os.getpid())).write_text(str(temporary), encoding="utf-8")


def after_all() -> list[str]:
    """To be asked by the run's first process when its tests are over. What is just ending is waited for."""
    run, owner = Path(os.environ[FOLDER_VARIABLE]), os.environ[OWNER_VARIABLE]
    folders = [file.read_text(encoding="utf-8") for file in (run / "temporary").glob("*")]
    pause = threading.Event()
    for _ in range(int(_ENDS_S / _PAUSE_S)):
        if not (left := _mounts(folders) + _processes(owner)):
            break
        pause.wait(_PAUSE_S)
    return left


def _mounts(folders: list[str]) -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    points = [line.split()[4] for line in lines]
    return [f"mounted: {at}" for at in points if any(at.startswith(f"{folder}/") for folder in folders)]


def _processes(owner: str) -> list[str]:
    """By the variable that all of a run's processes inherit."""
    mark = f"{OWNER_VARIABLE}={owner}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found.append(f"runs: {entry.name} {line[:200]}")
        except OSError:
            continue
    return found
