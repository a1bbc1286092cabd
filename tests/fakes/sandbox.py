"""A sandbox that isolates nothing: the real runner in a plain child process, for tests of what is around."""

from __future__ import annotations

import array
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from services.executor.adapters.attempt import Attempt, channels
from services.executor.adapters.job import Guest
from services.executor.ports import AttemptSink, Ended, EndReason, Enforcement, Order, Usage, Waiting

_REPOSITORY = Path(__file__).parents[2]
_BOOTSTRAP = _REPOSITORY / "services" / "executor" / "runner" / "bootstrap.py"
# put the descriptors where the runner looks for them, then be the runner
_START = (
    "import fcntl, os, sys; job, report = (fcntl.fcntl(int(n), fcntl.F_DUPFD, 64) for n in sys.argv[1:3]); "
    "os.dup2(report, 3); os.dup2(job, 4); path = sys.argv[3]; sys.argv[1:] = ['closed', '0']; "
    "exec(open(path, 'rb').read())"
)


@dataclass
class _Child:
    attempt: Attempt
    process: subprocess.Popen[bytes]
    box: Path
    reason: EndReason | None = None


class FakeSandbox:
    """Bounds: wall clock and output only. Mounts are not placed; AGENT_MOUNTS names the host folders."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._children: dict[str, _Child] = {}
        self._lock = threading.RLock()

    def start(self, order: Order, sink: AttemptSink) -> str:
        with self._lock:
            if order.id not in self._children:
                self._begin(order, sink)
        return order.id

    def observe(self, handle: str) -> Literal["running", "unknown"] | Ended:
        child = self._children.get(handle)
        return "unknown" if child is None else child.attempt.ended or "running"

    def stop(self, handle: str, reason: EndReason = "stopped") -> None:
        child = self._children.get(handle)
        if child is not None and child.process.poll() is None:
            child.reason = child.reason or reason
            with suppress(ProcessLookupError):
                os.killpg(child.process.pid, signal.SIGKILL)

    def release(self, handle: str) -> None:
        child = self._children.get(handle)
        if child is not None and child.attempt.ended is not None:
            del self._children[handle]
            child.attempt.join(10)
            shutil.rmtree(child.box.parent, ignore_errors=True)

    def sweep(self, known: Collection[str]) -> None:
        for handle in [handle for handle in self._children if handle not in known]:
            self.stop(handle)
            self._children[handle].attempt.join(10)
            self.release(handle)

    def warm(self, order: Order, on_gone: Callable[[str], None]) -> None:
        return None

    def waiting(self) -> tuple[Waiting, ...]:
        return ()

    def cool(self, id: str) -> None:
        return None

    def enforcement(self) -> Enforcement:
        why = "the fake isolates nothing"
        missing = dict.fromkeys(("cpu", "memory", "processes", "disk", "inodes", "files"), why)
        return Enforcement("fake", frozenset({"wall", "output"}), missing)

    def close(self) -> None:
        for handle, child in list(self._children.items()):
            self.stop(handle)
            child.attempt.join(10)

    def _begin(self, order: Order, sink: AttemptSink) -> None:
        box = self._root / order.id / "box"
        for part in ("outputs", "state"):
            (box / part).mkdir(parents=True, exist_ok=True)
        ours, (job, stdout, stderr, report) = channels()
        guest = Guest(
            app=str(order.code_dir),
            lib=str(_REPOSITORY / "sdk"),
            scratch=str(box.parent / "scratch"),
            site=tuple(map(str, order.site_dirs)),
            mounts={inside: str(path) for inside, path in order.mounts.items()},
            proxy_port=_way_out(job) if order.egress else 0,
            runner=str(_BOOTSTRAP.parent),
        )
        process = subprocess.Popen(
            [sys.executable, "-s", "-P", "-S", "-c", _START, str(job), str(report), str(_BOOTSTRAP)],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            pass_fds=[job, report],
            env={"PATH": os.defpath, "HOME": str(box), "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"},
            cwd=box,
            start_new_session=True,
        )
        for fd in (job, stdout, stderr, report):
            os.close(fd)
        attempt = Attempt(order, sink, ours, guest, lambda reason: self.stop(order.id, reason))
        child = _Child(attempt, process, box)
        self._children[order.id] = child
        attempt.begin()
        threading.Thread(target=self._wait, args=(order, child), daemon=True).start()

    def _wait(self, order: Order, child: _Child) -> None:
        try:
            code = child.process.wait(order.limits.wall_s)
        except subprocess.TimeoutExpired:
            self.stop(order.id, "wall")
            code = child.process.wait()
        with suppress(ProcessLookupError):  # whatever it left running
            os.killpg(child.process.pid, signal.SIGKILL)
        reason = child.reason or "exited"
        ended = Ended(reason, code if reason == "exited" else None, Usage(), child.box)
        child.attempt.finish(lambda: ended)


def _way_out(job: int) -> int:
    """A listening socket of the host's, handed over as the runner would hand over the sandbox's; its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    with listener, socket.socket(fileno=os.dup(job)) as channel:
        fds = array.array("i", [listener.fileno()])
        channel.sendmsg([b"listening"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
        port: int = listener.getsockname()[1]
        return port
