"""Starts the programs of houses in a moment: one process has imported what they import, and forks into each of them.

Nothing in the product connects, reads the environment or begins a thread when it is imported, so what is forked is
what a fresh interpreter would have come to. From there on the program's own `__main__` runs, in its own session, with
its own environment and, for root, its own mounts.
"""

from __future__ import annotations

import atexit
import functools
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from services.executor.launcher import kernel

ROOT = Path(__file__).parents[1]
_IMPORTED = (
    "httpcore2",  # the planner's client loads it when it is made
    *(f"services.{name}.app" for name in ("ledger", "planner", "executor", "scheduler", "gateway")),
    "services.all_in_one",
    "services.executor.egress_app",
    "services.executor.task.__main__",
    "shared.runtime.gunicorn_server",
    "shared.runtime.profiles.google",
    "tests.fakes.clock",
)
_MESSAGE_BYTES = 128 << 10
_OURS = 64  # descriptors at least so high are put aside while a child's own take their places


class Forked:
    """What `subprocess.Popen` is, as far as anybody here asks."""

    def __init__(self, pid: int, status: int, stdin: IO[bytes] | None) -> None:
        self.pid = pid
        self.stdin = stdin
        self.returncode: int | None = None
        self._status = status
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Raises: subprocess.TimeoutExpired."""
        end = None if timeout is None else time.monotonic() + timeout
        while not self._lock.acquire(timeout=0.02):  # another thread waits, perhaps for longer
            if self.returncode is None and end is not None and time.monotonic() >= end:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        try:
            if self.returncode is None:
                left = None if end is None else max(0.0, end - time.monotonic())
                if not select.select([self._status], [], [], left)[0]:
                    raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
                said = os.read(self._status, 16)
                os.close(self._status)
                self.returncode = int(said) if said else -signal.SIGKILL  # its parent is gone, and so is it
            return self.returncode
        finally:
            self._lock.release()

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Zygote:
    """Thread-safe. Its children outlive it; none is started after `close`."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.zygote", str(theirs.fileno())],
                cwd=ROOT,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )

    def start(
        self,
        module: str,
        arguments: Sequence[str],
        *,
        env: Mapping[str, str],
        said: IO[bytes],
        stdout: IO[bytes] | None = None,
        pass_fds: Sequence[int] = (),
        stdin: bool = False,
    ) -> Forked:
        """`python -m module arguments`, with `said` as its stderr and in ROOT. stdin: a pipe; else nothing."""
        reading, status = os.pipe()
        with open(os.devnull, "r+b") as nothing:
            theirs, ours = os.pipe() if stdin else (os.dup(nothing.fileno()), None)
            out = nothing if stdout is None else stdout
            order = {"module": module, "arguments": [*arguments], "env": dict(env), "passed": [*pass_fds]}
            handed = [status, theirs, out.fileno(), said.fileno(), *pass_fds]
            try:
                with self._lock:
                    socket.send_fds(self._channel, [json.dumps(order).encode()], handed)
                    pid = int(self._channel.recv(16) or 0)
            finally:
                os.close(status)
                os.close(theirs)
        if not pid:
            raise RuntimeError("the zygote has ended")
        return Forked(pid, reading, None if ours is None else open(ours, "wb"))

    def close(self) -> None:
        self._channel.close()
        self._process.wait()


@functools.cache
def zygote() -> Zygote:
    """This process's own, until `end`."""
    atexit.register(end)
    return Zygote()


def end() -> None:
    """Of this process's zygote, if there is one; a test run calls it before it looks at what is left behind."""
    if zygote.cache_info().currsize:
        zygote().close()
        zygote.cache_clear()


def _serve(channel: socket.socket) -> dict[str, Any] | None:
    """Returns twice and more: in each child with its order, in the parent with None when nobody asks any more."""
    statuses: dict[int, int] = {}
    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready = select.select([channel.fileno(), woken], [], [])[0]
        if woken in ready:
            with suppress(BlockingIOError):
                os.read(woken, 4096)
            _reap(statuses)
        if channel.fileno() not in ready:
            continue
        message, fds, _flags, _address = socket.recv_fds(channel, _MESSAGE_BYTES, 16)
        if not message:
            return None
        order: dict[str, Any] = json.loads(message)
        if _threads() != 1:
            raise RuntimeError("a thread was begun by an import, and threads do not survive a fork")
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            channel.detach()  # its number is soon another's
            _place(fds[1:], [0, 1, 2, *order["passed"]])
            return order
        statuses[pid] = fds[0]
        for fd in fds[1:]:
            os.close(fd)
        channel.send(str(pid).encode())


def _reap(statuses: dict[int, int]) -> None:
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            fd = statuses.pop(pid)
            with suppress(BrokenPipeError):
                os.write(fd, str(os.waitstatus_to_exitcode(status)).encode())
            os.close(fd)


def _threads() -> int:
    return len(os.listdir("/proc/self/task"))  # noqa: PTH208 - no objects are made of them


def _place(given: list[int], wanted: list[int]) -> None:
    """Nothing else stays open: a pipe held by a stranger never ends."""
    aside = [os.dup2(fd, max(_OURS, *given, *wanted) + 1 + at) for at, fd in enumerate(given)]
    for fd, place in zip(aside, wanted, strict=True):
        os.dup2(fd, place)
    kept = sorted(wanted)
    for below, above in zip(kept, [*kept[1:], os.sysconf("SC_OPEN_MAX")], strict=True):
        os.closerange(below + 1, above)


def _become(order: dict[str, Any]) -> None:
    os.setsid()
    os.environ.clear()
    os.environ.update(order["env"])
    time.tzset()
    if os.geteuid() == 0:
        kernel.unshare(kernel.CLONE_NEWNS)
        kernel.mount("", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    sys.argv[1:] = order["arguments"]
    runpy.run_module(order["module"], run_name="__main__", alter_sys=True)


def _main(fd: int) -> None:
    for name in _IMPORTED:
        import_module(name)
    gc.collect()
    gc.freeze()
    order = _serve(socket.socket(fileno=fd))
    if order is not None:
        _become(order)


if __name__ == "__main__":
    _main(int(sys.argv[1]))
