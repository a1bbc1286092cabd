"""Control groups for sandboxes: version 1 (one tree per controller), version 2, or none we may write.

A group is made ahead of the sandbox, a process put into it before it becomes the sandbox, its bounds written
at start. Sources: Documentation/admin-guide/cgroup-v1/, …/cgroup-v2.rst.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from services.executor.launcher import cgroup_files

_WANTED_V1 = ("memory", "pids", "cpuacct")
# How the processor is shared where it is fought for: one run with sixty processes weighs as much as one with
# one, and all runs together as much as one thread of the platform per core, however many they are.
_WHOLE_SHARE_V1 = 1024 * (os.cpu_count() or 1)  # a thread outside of any group weighs 1024
_WHOLE_WEIGHT_V2 = 50  # the platform's own group has 100


class Group(Protocol):
    """Counters are since the group was made. Every method tolerates that the group is gone."""

    def join(self, pid: int) -> None: ...

    def bound(self, memory_bytes: int, processes: int) -> None: ...

    def pids(self) -> list[int]: ...

    def cpu_ms(self) -> int: ...

    def memory_peak(self) -> int: ...

    def forget_peak(self) -> None:
        """From here on memory_peak counts from what is used now (before Linux 6.12 not under version 2)."""

    def out_of_memory(self) -> bool:
        """The kernel has ended a process of the group for want of memory."""

    def refused_forks(self) -> bool: ...

    def remove(self) -> bool:
        """False: processes are left, try again."""


class Groups(Protocol):
    enforced: frozenset[str]
    missing: dict[str, str]  # limit -> a code of executor/limits.py

    def make(self, name: str) -> Group | None:
        """None where this machine has no groups to write."""

    def sweep(self) -> None:
        """Kill and remove every group an earlier launcher left under our name."""

    def close(self) -> None:
        """Remove what is ours and empty."""


def _sweep(parents: list[Path]) -> None:
    for parent in parents:
        _remove_orphans(parent)
        for left in cgroup_files.folders(parent):
            for pid in cgroup_files.pids(str(left)):
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            cgroup_files.remove(str(left))


def _remove_orphans(ours: Path) -> None:
    """Empty groups beside ours whose maker (the number their names begin with) is gone: its folder, and with
    it the one who would have cleaned up, may never come back. Never touches a group with a process in it."""
    family = ours.name.partition("-")[0] + "-"
    for parent in cgroup_files.folders(ours.parent):
        if parent != ours and parent.name.startswith(family):
            found = cgroup_files.folders(parent)
            makers = {entry.name.partition("-")[0] for entry in found}
            if all(maker.isdecimal() and not Path(f"/proc/{maker}").exists() for maker in makers):
                for entry in (*found, parent):
                    cgroup_files.remove(str(entry))


@dataclass
class GroupV1:
    """share: where the processor is shared out; None where this machine does not."""

    memory: str
    pids_dir: str
    cpu: str
    share: str | None = None

    def _all(self) -> tuple[str, ...]:
        return self.memory, self.pids_dir, self.cpu, *([self.share] if self.share else [])

    def join(self, pid: int) -> None:
        for folder in self._all():
            cgroup_files.write(f"{folder}/cgroup.procs", pid)

    def bound(self, memory_bytes: int, processes: int) -> None:
        # Never below the other one, so on the way up this is first; absent without swap accounting.
        with suppress(OSError):
            cgroup_files.write(f"{self.memory}/memory.memsw.limit_in_bytes", memory_bytes)
        cgroup_files.write(f"{self.memory}/memory.limit_in_bytes", memory_bytes)
        with suppress(OSError):
            cgroup_files.write(f"{self.memory}/memory.memsw.limit_in_bytes", memory_bytes)
        cgroup_files.write(f"{self.pids_dir}/pids.max", processes)

    def pids(self) -> list[int]:
        return cgroup_files.pids(self.pids_dir)

    def cpu_ms(self) -> int:
        return cgroup_files.number(f"{self.cpu}/cpuacct.usage") // 1_000_000

    def memory_peak(self) -> int:
        return cgroup_files.number(f"{self.memory}/memory.max_usage_in_bytes")

    def forget_peak(self) -> None:
        with suppress(OSError):
            cgroup_files.write(f"{self.memory}/memory.max_usage_in_bytes", 0)

    def out_of_memory(self) -> bool:
        return cgroup_files.field(f"{self.memory}/memory.oom_control", "oom_kill") > 0

    def refused_forks(self) -> bool:
        return cgroup_files.field(f"{self.pids_dir}/pids.events", "max") > 0

    def remove(self) -> bool:
        gone = [
            cgroup_files.remove(folder) for folder in self._all()
        ]  # each of them, whatever the first says
        return all(gone)


@dataclass
class GroupsV1:
    parents: dict[str, Path]
    enforced = frozenset({"memory", "processes", "cpu"})

    def __post_init__(self) -> None:
        self.missing: dict[str, str] = {}

    def make(self, name: str) -> Group | None:
        folders = {controller: f"{parent}/{name}" for controller, parent in self.parents.items()}
        for folder in folders.values():
            cgroup_files.make(folder)
        memory, pids, cpu = (folders[controller] for controller in _WANTED_V1)
        return GroupV1(memory, pids, cpu, folders.get("cpu"))

    def sweep(self) -> None:
        _sweep(list(self.parents.values()))

    def close(self) -> None:
        for parent in self.parents.values():
            cgroup_files.remove(str(parent))


@dataclass
class GroupV2:
    folder: str
    _peak: int = -1  # a reset holds for the descriptor it was written to

    def join(self, pid: int) -> None:
        cgroup_files.write(f"{self.folder}/cgroup.procs", pid)

    def bound(self, memory_bytes: int, processes: int) -> None:
        cgroup_files.write(f"{self.folder}/memory.max", memory_bytes)
        with suppress(OSError):  # absent without swap
            cgroup_files.write(f"{self.folder}/memory.swap.max", 0)
        with suppress(OSError):  # the whole sandbox ends, not one process of it
            cgroup_files.write(f"{self.folder}/memory.oom.group", 1)
        cgroup_files.write(f"{self.folder}/pids.max", processes)

    def pids(self) -> list[int]:
        return cgroup_files.pids(self.folder)

    def cpu_ms(self) -> int:
        return cgroup_files.field(f"{self.folder}/cpu.stat", "usage_usec") // 1000

    def memory_peak(self) -> int:
        if self._peak >= 0:
            with suppress(OSError, ValueError):
                return int(os.pread(self._peak, 64, 0))
        return cgroup_files.number(f"{self.folder}/memory.peak")

    def forget_peak(self) -> None:
        with suppress(OSError):
            peak = os.open(f"{self.folder}/memory.peak", os.O_RDWR | os.O_CLOEXEC)
            try:
                os.write(peak, b"reset\n")
                self._peak = peak
            except OSError:
                os.close(peak)

    def out_of_memory(self) -> bool:
        return cgroup_files.field(f"{self.folder}/memory.events", "oom_kill") > 0

    def refused_forks(self) -> bool:
        return cgroup_files.field(f"{self.folder}/pids.events", "max") > 0

    def remove(self) -> bool:
        if self._peak >= 0:
            os.close(self._peak)
            self._peak = -1
        return cgroup_files.remove(self.folder)


@dataclass
class GroupsV2:
    parent: Path
    enforced = frozenset({"memory", "processes", "cpu"})

    def __post_init__(self) -> None:
        self.missing: dict[str, str] = {}

    def make(self, name: str) -> Group | None:
        cgroup_files.make(f"{self.parent}/{name}")
        return GroupV2(f"{self.parent}/{name}")

    def sweep(self) -> None:
        _sweep([self.parent])

    def close(self) -> None:
        cgroup_files.remove(str(self.parent))


class NoGroups:
    enforced: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.missing = {"memory": "memory_measured", "cpu": "cpu_measured"}

    def make(self, name: str) -> Group | None:
        return None

    def sweep(self) -> None:
        return None

    def close(self) -> None:
        return None


@dataclass(frozen=True)
class _Mount:
    point: Path
    root: str
    kind: str
    controllers: frozenset[str]


def _mounts(mountinfo: str) -> list[_Mount]:
    found = []
    for line in mountinfo.splitlines():
        left, _dash, right = line.partition(" - ")
        kind, _source, options = right.split(" ", 2)
        if kind in ("cgroup", "cgroup2"):
            words = left.split()
            found.append(_Mount(Path(words[4]), words[3], kind, frozenset(options.split(","))))
    return found


def _own(mount: _Mount, cgroup: str, controller: str) -> Path:
    """Folder of our own group in that hierarchy; the mount point where the path is not visible."""
    for line in cgroup.splitlines():
        _id, names, path = line.split(":", 2)
        if (names == "" and controller == "") or controller in names.split(","):
            folder = mount.point / os.path.relpath(path, mount.root)
            return folder if folder.is_dir() else mount.point
    return mount.point


def find(name: str, mountinfo: str, cgroup: str) -> Groups:
    """Groups below ours where they can be written. Arguments: texts of /proc/self/{mountinfo,cgroup}."""
    mounts = _mounts(mountinfo)
    try:
        parents = {}
        for controller in _WANTED_V1:
            mount = next(m for m in mounts if m.kind == "cgroup" and controller in m.controllers)
            parents[controller] = _own(mount, cgroup, controller) / name
        for parent in parents.values():
            parent.mkdir(exist_ok=True)
        parents |= _sharing(name, mounts, cgroup)
        return GroupsV1(parents)
    except (StopIteration, OSError):
        pass
    for mount in mounts:
        if mount.kind == "cgroup2":
            own = _own(mount, cgroup, "")
            # A group with processes in it cannot hand controllers down, so ours goes beside it.
            for candidate in (own, *own.parents):
                if candidate.is_relative_to(mount.point) and (made := _hand_down(candidate / name)):
                    return GroupsV2(made)
    return NoGroups()


def _sharing(name: str, mounts: list[_Mount], cgroup: str) -> dict[str, Path]:
    """Version 1: where runs' groups share the processor, unless that is where their use is counted as well."""
    for mount in mounts:
        if mount.kind == "cgroup" and "cpu" in mount.controllers:
            parent = _own(mount, cgroup, "cpu") / name
            with suppress(OSError):
                parent.mkdir(exist_ok=True)
                cgroup_files.write(f"{parent}/cpu.shares", _WHOLE_SHARE_V1)
                return {} if "cpuacct" in mount.controllers else {"cpu": parent}
    return {}


def _hand_down(parent: Path) -> Path | None:
    """Make `parent` and let its children have memory and pids; None where that is not allowed."""
    try:
        parent.mkdir(exist_ok=True)
        with suppress(OSError):  # runs are then weighed by the kernel's own defaults
            cgroup_files.write(f"{parent}/cgroup.subtree_control", "+cpu")
            cgroup_files.write(f"{parent}/cpu.weight", _WHOLE_WEIGHT_V2)
        cgroup_files.write(f"{parent}/cgroup.subtree_control", "+memory +pids")
    except OSError:
        with suppress(OSError):
            parent.rmdir()
        return None
    return parent


def of_process(mountinfo: str, cgroup: str) -> Group | None:
    """The group somebody else has put a process into, to be read; None where its files are not seen here.
    Arguments: texts of /proc/self/mountinfo and of the process's /proc/…/cgroup."""
    paths = {
        name: path
        for line in cgroup.splitlines()
        for name in line.split(":")[1].split(",")
        for path in [line.split(":", 2)[2]]
    }
    mounts = _mounts(mountinfo)

    def folder(mount: _Mount, controller: str) -> Path | None:
        found = mount.point / os.path.relpath(paths.get(controller, "/"), mount.root)
        return found if paths.get(controller, "/") != "/" and found.is_dir() else None

    apart = [
        folder(mount, controller)
        for controller in _WANTED_V1
        for mount in mounts
        if mount.kind == "cgroup" and controller in mount.controllers
    ]
    seen = [str(path) for path in apart if path is not None]
    if len(seen) == len(_WANTED_V1):
        return GroupV1(memory=seen[0], pids_dir=seen[1], cpu=seen[2])
    unified = next((folder(mount, "") for mount in mounts if mount.kind == "cgroup2"), None)
    return GroupV2(str(unified)) if unified is not None and (unified / "memory.max").exists() else None
