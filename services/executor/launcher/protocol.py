"""Messages between the executor and its launcher: one JSON object per datagram, file descriptors beside it.

Trusted on both ends; nothing a sandbox writes ever travels here. Standard library only: the launcher's too.
"""

from __future__ import annotations

import array
import json
import os
import socket
from dataclasses import dataclass, field
from typing import Any

_MAX_MESSAGE = 192 << 10
_MAX_FDS = 8


@dataclass(frozen=True)
class Machine:
    """What the launcher must know of the machine; sent once.

    root         folder of its own: `boxes/` and `runtime/` live in it
    bwrap        path of the program, below `runtime` when it is a copy
    python       interpreter as the sandbox starts it (absolute, no symbolic links)
    prefix       installation folder of that interpreter, visible inside at the same path
    hidden       folders under prefix covered by empty ones (packages of the platform)
    first_uid    sandboxes of a root launcher run as first_uid + slot
    slots        how many at once
    unneeded     mount points of the machine that sandboxes do without; the launcher finds them itself
    """

    root: str
    bwrap: str
    python: str
    prefix: str
    hidden: tuple[str, ...] = ()
    first_uid: int = 20000
    slots: int = 64
    unneeded: tuple[str, ...] = ()


@dataclass(frozen=True)
class Spec:
    """One sandbox. `mounts` are (host path, sandbox path), read-only. Bounds as in ports.RunLimits.

    waits: it has no run yet. Until "bind" its own small bounds hold, and what it uses is nobody's.
    writable: as `mounts`, but given to the sandbox's user; for programs of the platform.
    """

    id: str
    mounts: tuple[tuple[str, str], ...]
    egress: bool
    wall_s: float
    cpu_s: float
    memory_bytes: int
    disk_bytes: int
    inodes: int
    processes: int
    open_files: int
    waits: bool = False
    writable: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Verdict:
    """How a sandbox ended, as seen from outside. `box` is "" where a descriptor of it comes beside."""

    id: str
    reason: str
    exit_code: int | None
    wall_ms: int
    cpu_ms: int
    memory_peak_bytes: int
    box: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Ready:
    """The launcher's answer to Machine. `unavailable` is empty when sandboxes can be started."""

    enforced: tuple[str, ...] = ()
    missing: dict[str, str] = field(default_factory=dict)
    unavailable: str = ""


def send(channel: socket.socket, kind: str, body: object = None, fds: tuple[int, ...] = ()) -> None:
    """OSError when the other end is gone. `body` is one of the dataclasses above or plain JSON."""
    data = json.dumps([kind, body], default=vars).encode()
    if len(data) > _MAX_MESSAGE:
        raise ValueError("message too long for the launcher")
    extra = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    channel.sendmsg([data], extra)


def receive(channel: socket.socket) -> tuple[str, Any, list[int]] | None:
    """(kind, body, descriptors), or None at end of file. Descriptors are close-on-exec and the caller's."""
    try:
        data, extra, _flags, _address = channel.recvmsg(
            _MAX_MESSAGE, socket.CMSG_SPACE(4 * _MAX_FDS), socket.MSG_CMSG_CLOEXEC
        )
    except ConnectionResetError:  # the other side died with something of ours unread
        return None
    fds = array.array("i")
    for level, kind, payload in extra:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
    if not data:
        for fd in fds:
            os.close(fd)
        return None
    kind_name, body = json.loads(data)
    return kind_name, body, list(fds)


def spec(body: dict[str, Any]) -> Spec:
    pairs = {name: tuple((src, dst) for src, dst in body[name]) for name in ("mounts", "writable")}
    return Spec(**{**body, **pairs})


def machine(body: dict[str, Any]) -> Machine:
    return Machine(**{**body, **{name: tuple(body[name]) for name in ("hidden", "unneeded")}})
