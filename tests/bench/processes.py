"""Memory and processor time of a process and everything it started, from /proc."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    """The process and all its descendants, those of other threads included."""
    found = [pid]
    for task in _read(f"/proc/{pid}/task", folder=True).split():
        for child in _read(f"/proc/{pid}/task/{task}/children").split():
            found += tree(int(child))
    return found


def memory_mb(pid: int) -> float:
    """Proportional set size of the tree: shared pages are divided among those who share them."""
    total = 0
    for one in tree(pid):
        for line in _read(f"/proc/{one}/smaps_rollup").splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


def cpu_s(pid: int) -> float:
    """Processor seconds used so far by the tree's living processes and by the children they waited for."""
    total = 0
    for one in tree(pid):
        fields = _read(f"/proc/{one}/stat").rpartition(")")[2].split()
        if fields:
            total += sum(int(value) for value in fields[11:15])
    return total / _TICKS


def threads(pid: int) -> int:
    return sum(len(_read(f"/proc/{one}/task", folder=True).split()) for one in tree(pid))


def _read(path: str, *, folder: bool = False) -> str:
    """Empty when the process is gone."""
    with suppress(OSError):
        return " ".join(entry.name for entry in Path(path).iterdir()) if folder else Path(path).read_text()
    return ""


def own_cpu_s(pid: int) -> float:
    """Processor seconds of the process alone, all its threads, without its children."""
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS if fields else 0.0
