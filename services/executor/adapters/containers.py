"""What an engine of containers (Docker, runsc) must do for `contained.py`, and how an end is read."""

from __future__ import annotations

import signal
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from services.executor.launcher import boxes
from services.executor.launcher.cgroups import Group
from services.executor.ports import EndReason, RunLimits

_PAGE = 4096


@dataclass(frozen=True)
class Bind:
    host: str
    inside: str
    writable: bool = False


@dataclass(frozen=True)
class Plan:
    """One container. `command` and `env` are readable inside: no data in them. Read-only root, no network, no
    capability, no new privileges, limits of `limits`, everything else as `binds` says."""

    id: str
    uid: int
    command: tuple[str, ...]
    env: dict[str, str]
    binds: tuple[Bind, ...]
    limits: RunLimits


@dataclass(frozen=True)
class Figures:
    """As far as this engine can tell, since the container began."""

    cpu_ms: int = 0
    memory_peak_bytes: int = 0
    out_of_memory: bool = False
    refused_forks: bool = False


def figures(group: Group) -> Figures:
    return Figures(group.cpu_ms(), group.memory_peak(), group.out_of_memory(), group.refused_forks())


class Container(Protocol):
    """stdio: our ends of stdout and stderr when they do not come through the door."""

    stdio: tuple[int, int] | None

    def wait(self, timeout_s: float) -> int | None:
        """Exit status as a shell tells it (128 + n: signal n), or None when it still runs by then."""

    def figures(self) -> Figures:
        """Also after the end, as long as it is not removed."""

    def kill(self) -> None: ...

    def remove(self) -> None:
        """With everything of it; also one that runs."""

    def said(self) -> str:
        """The engine's own words about a container that did not start."""


class Engine(Protocol):
    """name: of the backend. by_rights: descriptors can be passed into and out of its containers; otherwise `roles`
    are the channels the runner dials for, one by one."""

    name: str
    by_rights: bool
    roles: str
    enforced: frozenset[str]
    missing: dict[str, str]
    first_uid: int

    def open(self, runtime: Path, folder: Path) -> None:
        """Get ready; Unavailable with the command that cures it. runtime: what containers share; folder: a
        place of its own."""

    def run(self, plan: Plan) -> Container: ...

    def sweep(self, known: Iterable[str]) -> None:
        """Remove what an earlier process left, but for `known`."""

    def close(self) -> None: ...


def reason_of(status: int, seen: Figures, limits: RunLimits, box: str) -> tuple[EndReason, int | None]:
    """A failure is named after a bound only where a counter outside says the bound was met."""
    code = 128 - status if 128 < status < 128 + signal.NSIG else status
    if code == 0:
        return "exited", 0
    fill = boxes.fill(box)
    met: list[tuple[bool, EndReason]] = [
        (code < 0 and seen.out_of_memory, "memory"),
        (code < 0 and seen.cpu_ms >= limits.cpu_s * 1000, "cpu"),
        (seen.refused_forks, "processes"),
        (fill.inodes_left == 0, "inodes"),
        (fill.bytes_left < _PAGE, "disk"),
    ]
    return next(((reason, None) for holds, reason in met if holds), ("exited", code))
