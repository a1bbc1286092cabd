"""The last steps of a forked child on its way to being a sandbox: own mounts, own uid, then bubblewrap.

Nothing here returns to the launcher: the child becomes `bwrap`, or exits 127 with a line on stderr.
"""

from __future__ import annotations

import fcntl
import math
import os
import resource
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass

from services.executor.launcher import boxes, kernel
from services.executor.launcher.protocol import Machine, Spec, send
from services.executor.launcher.sandboxes import WAITING_CPU_S
from services.executor.launcher.stage import Stage, drop, lay_out

_ARGS_FD, _FILTER_FD, _STATUS_FD, _FIRST_UNUSED = 5, 6, 7, 8
_AS_FACTOR, _AS_EXTRA = 2, 1 << 30
_GROUP_FIRST = 16
_BELOW_THE_PLATFORM = 5
_RESET_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ)


@dataclass(frozen=True)
class Start:
    """uid: what the sandbox runs as (root launcher only). charged: a control group counts its memory."""

    spec: Spec
    uid: int
    box: str
    charged: bool


@dataclass(frozen=True)
class Pipes:
    """The executor's descriptors for one sandbox, in the order they travel."""

    job: int
    stdout: int
    stderr: int
    report: int


def become(
    machine: Machine,
    start: Start,
    pipes: Pipes,
    status: int,
    back: socket.socket,
    launcher: int,
    refused: OSError | None,
) -> None:
    """`status` is where bwrap writes its own facts; `back` takes an ordinary user's box to the launcher, whose
    process is `launcher`. refused: why this process is in no control group though it should be."""
    try:
        os.dup2(pipes.stderr, 2)
        if refused is not None:
            raise refused
        _give(start)
        if os.geteuid() == 0:
            kernel.unshare(kernel.CLONE_NEWNS)
            kernel.mount("", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
        else:
            _own_namespaces(start, back)
        stage = lay_out(machine, start.spec, start.box)
        if os.geteuid() == 0:
            drop(machine)
        program = machine.bwrap.replace(f"{machine.root}/runtime", stage.runtime, 1)
        arguments = _memory_file(_arguments(machine, stage))
        filter_fd = os.open(f"{stage.runtime}/{filter_name(start.charged)}", os.O_RDONLY)
        empty = os.open(f"{stage.root}/dev/null", os.O_RDONLY)
        _place([empty, pipes.stdout, pipes.stderr, pipes.report, pipes.job, arguments, filter_fd, status])
        os.chdir("/")
        _limits(start)
        if not start.charged:
            os.nice(_BELOW_THE_PLATFORM)  # where no group shares the processor out
        if os.geteuid() == 0:
            os.setgroups([])
            os.setresgid(start.uid, start.uid, start.uid)
            os.setresuid(start.uid, start.uid, start.uid)
        _die_with(launcher)
        for number in _RESET_SIGNALS:  # what the launcher ignores, its sandboxes must not
            signal.signal(number, signal.SIG_DFL)
        # An empty environment: bwrap is process 1 inside, and /proc/1/environ shows what it was started with.
        os.execve(program, ["bwrap", "--args", str(_ARGS_FD), "--", *_command(machine, start)], {})
    except BaseException as error:  # noqa: BLE001 - whatever it is, this copy of the launcher must not live on
        with suppress(OSError):
            os.write(2, f"sandbox setup: {error}\n".encode())
        os._exit(127)


def _die_with(launcher: int) -> None:
    """bwrap asks for the same, but only some moments after it has begun, and does not look whether it has come
    too late. Changing users undoes it, becoming another program does not (prctl(2), PR_SET_PDEATHSIG)."""
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != launcher:
        os._exit(127)


def _give(start: Start) -> None:
    """Folders the sandbox may write belong to its user; as an ordinary user they are ours and its already."""
    if os.geteuid() == 0:
        for host, _inside in start.spec.writable:
            os.chown(host, start.uid, start.uid)


def filter_name(charged: bool) -> str:
    return "filter-charged" if charged else "filter-uncharged"


def _own_namespaces(start: Start, back: socket.socket) -> None:
    """As an ordinary user: a namespace in which we may mount the bounded box; hand its descriptor out."""
    uid, gid = os.geteuid(), os.getegid()
    kernel.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)
    spec = start.spec
    boxes.mount(start.box, disk_bytes=spec.disk_bytes, inodes=spec.inodes, owner=uid)
    folder = os.open(start.box, os.O_RDONLY | os.O_DIRECTORY)
    send(back, "box", None, (folder,))
    os.close(folder)


def _arguments(machine: Machine, stage: Stage) -> list[str]:
    """bwrap's options. Their order is the order of execution."""
    options = ["--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    options += ["--unshare-cgroup-try", "--disable-userns", "--uid", "1000", "--gid", "1000"]
    options += ["--hostname", "sandbox", "--clearenv"]
    path = f"{os.path.dirname(machine.python)}:/usr/local/bin:/usr/bin:/bin"
    # a hash seed: sets in the same order in every run of the same code
    names = {"LANG": "C.UTF-8", "HOME": "/box", "PYTHONHASHSEED": "0", "PATH": path}
    for name, value in names.items():
        options += ["--setenv", name, value]
    options += [*stage.options, "--chdir", "/box", "--new-session", "--die-with-parent", "--cap-drop", "ALL"]
    return [*options, "--seccomp", str(_FILTER_FD), "--json-status-fd", str(_STATUS_FD)]


def _command(machine: Machine, start: Start) -> list[str]:
    """Readable by the code in /proc/1/cmdline: no data here. -s -P -S: no site, no .pth file, no folder of
    the script. Not -I, which would not read PYTHONHASHSEED either; the environment is ours alone."""
    spec = start.spec
    # Where a control group counts processes it should be the one to refuse: its refusals can be read outside.
    bound = spec.processes + (_GROUP_FIRST if start.charged else 1)
    listen = "listen" if spec.egress else "closed"
    return [machine.python, "-s", "-P", "-S", "/runner/bootstrap.pyc", listen, str(bound)]


def _limits(start: Start) -> None:
    """Limits per process. The number of processes is set inside (runner/bootstrap.py): the kernel counts it
    per user namespace, and outside it would be shared by every sandbox of one uid."""
    spec = start.spec
    bounds = {
        # a backstop: the launcher counts over all processes, and from the moment a run is bound
        resource.RLIMIT_CPU: math.ceil(spec.cpu_s + (WAITING_CPU_S if spec.waits else 0)) + 1,
        resource.RLIMIT_FSIZE: spec.disk_bytes,
        resource.RLIMIT_NOFILE: spec.open_files,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 64 << 10,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_SIGPENDING: 256,
    }
    if not start.charged:
        bounds[resource.RLIMIT_AS] = spec.memory_bytes * _AS_FACTOR + _AS_EXTRA
    for which, bound in bounds.items():
        _soft, hard = resource.getrlimit(which)
        lowest = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        resource.setrlimit(which, (lowest, lowest))


def _memory_file(options: list[str]) -> int:
    fd = os.memfd_create("options")
    os.write(fd, b"".join(option.encode() + b"\0" for option in options))
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _place(fds: list[int]) -> None:
    """fds[n] becomes descriptor n, inheritable; everything else is closed."""
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 64) for fd in fds]
    for number, fd in enumerate(high):
        os.dup2(fd, number)
    os.closerange(_FIRST_UNUSED, 4096)
