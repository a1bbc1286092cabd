"""A child forked ahead of time, already in its control groups, waiting to be told what to become.

Joining a control group can take 15 ms (the kernel waits for a grace period). The child does it itself: ahead it
costs a start nothing, and when starts come fast only its own waits and not the launcher.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from dataclasses import dataclass

from services.executor.launcher import guest
from services.executor.launcher.cgroups import Group
from services.executor.launcher.protocol import Machine, receive, send, spec


@dataclass
class Spare:
    """status: read end of what bwrap will write about itself. orders: our end of the channel to the child."""

    pid: int
    pidfd: int
    orders: socket.socket
    status: int
    group: Group | None

    def go(self, start: guest.Start, pipes: tuple[int, ...]) -> None:
        send(self.orders, "start", start, pipes)

    def drop(self) -> None:
        """The child sees the end of its channel and exits; it is reaped by the launcher as any other."""
        self.orders.close()
        os.close(self.status)
        os.close(self.pidfd)


def prepare(machine: Machine, group: Group | None, close_in_child: tuple[int, ...]) -> Spare:
    """close_in_child: the launcher's descriptors whose end of file others wait for."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    status_read, status_write = os.pipe()
    launcher = os.getpid()
    pid = os.fork()
    if pid == 0:
        for fd in (*close_in_child, ours.fileno(), status_read):
            with suppress(OSError):
                os.close(fd)
        refused = _join(group)
        _wait(machine, theirs, status_write, launcher, refused)
        os._exit(0)
    theirs.close()
    os.close(status_write)
    return Spare(pid, os.pidfd_open(pid), ours, status_read, group)


def _join(group: Group | None) -> OSError | None:
    """What went wrong, to be said where a start can say it."""
    try:
        if group is not None:
            group.join(os.getpid())
    except OSError as error:
        return error
    return None


def _wait(
    machine: Machine, orders: socket.socket, status: int, launcher: int, refused: OSError | None
) -> None:
    message = receive(orders)
    if message is None:
        return
    _kind, body, fds = message
    start = guest.Start(spec(body["spec"]), body["uid"], body["box"], body["charged"])
    guest.become(machine, start, guest.Pipes(*fds), status, orders, launcher, refused)
