"""What a sandbox uses, from outside, where no control group counts: its process tree in /proc."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass

_TICK_MS = 1000 // os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Tree:
    cpu_ms: int
    memory_bytes: int


def _read(path: str) -> str:
    with suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
        return file.read()
    return ""


def children(pid: int) -> list[int]:
    """Direct children, all threads' together; empty when the process is gone."""
    found: list[int] = []
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            found += [int(word) for word in _read(f"/proc/{pid}/task/{thread}/children").split()]
    return found


def parent(pid: int) -> int:
    """0 when the process is gone."""
    tail = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return int(tail[1]) if len(tail) > 1 else 0


def _cpu_ms(pid: int) -> int:
    tail = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    # fields 14-17 of proc_pid_stat(5): own user and system time, and that of children already waited for
    return sum(int(word) for word in tail[11:15]) * _TICK_MS if len(tail) > 15 else 0


def _memory(pid: int) -> int:
    for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) << 10
    words = _read(f"/proc/{pid}/statm").split()
    return int(words[1]) * os.sysconf("SC_PAGE_SIZE") if len(words) > 1 else 0


def tree(root: int, *, memory: bool = True) -> Tree:
    """Sums over `root` and everything below it. Orphans stay below: the sandbox has its own first process."""
    cpu = size = 0
    waiting, seen = [root], set[int]()
    while waiting:
        pid = waiting.pop()
        if pid in seen:
            continue
        seen.add(pid)
        cpu += _cpu_ms(pid)
        size += _memory(pid) if memory else 0
        waiting += children(pid)
    return Tree(cpu, size)
