"""One running sandbox as the launcher sees it: its processes, its bounds, and the verdict at its end."""

from __future__ import annotations

import json
import os
import resource
import signal
from contextlib import suppress
from dataclasses import dataclass, field

from services.executor.launcher import boxes, measure
from services.executor.launcher.cgroups import Group
from services.executor.launcher.protocol import Spec, Verdict

_POLL_S = 0.05
_POLL_AT_MOST_S = 1.0
_PAGE = 4096
# Bounds of a sandbox that waits: what importing packages may cost before it is not worth it. An idle one is
# looked at rarely; nothing it does then is urgent.
WAITING_CPU_S = 20.0
WAITING_MEMORY = 256 << 20
_WAITING_POLL_S = 5.0


@dataclass
class Running:
    """`pid` is bwrap outside, `inner` the first process inside (0 until bwrap has told).

    box_fd is an ordinary user's box; -1 as root, where `box` is readable by path. waits: no run has been
    bound to it; `started`, the counters and the bounds then begin anew (`bind`).
    """

    spec: Spec
    slot: int
    pid: int
    pidfd: int
    status: int
    group: Group | None
    box: str
    started: float
    box_fd: int = -1
    inner: int = 0
    inner_fd: int = -1
    told: str = ""
    outer_gone: bool = False
    inner_gone: bool = False
    reason: str = ""
    wait_status: int = 0
    cpu_before_ms: int = 0
    cpu_seen_ms: int = 0
    cpu_reaped_ms: int = 0
    memory_seen: int = 0
    waits: bool = False
    cpu_waiting_ms: int = 0
    next_check: float = field(default=0.0)

    @property
    def empty(self) -> bool:
        """Nothing of it runs any more."""
        if not self.outer_gone or (self.inner_fd >= 0 and not self.inner_gone):
            return False
        return self.group is None or not self.group.pids()

    def read_status(self) -> bool:
        """Take in what bwrap says; False at its end of file."""
        try:
            text = os.read(self.status, 65536)
        except BlockingIOError:
            return True
        self.hear(text.decode(errors="replace"))
        return bool(text)

    def hear(self, text: str) -> None:
        """What bwrap says about itself: one JSON object a line, `child-pid` first, `exit-code` last."""
        self.told += text
        for line in self.told.splitlines():
            with suppress(ValueError):
                said = json.loads(line)
                if not self.inner and "child-pid" in said:
                    self._meet(said["child-pid"])

    def _meet(self, pid: int) -> None:
        with suppress(OSError):
            fd = os.pidfd_open(pid)
            # between bwrap's word and our call the number could be another's
            if measure.parent(pid) not in (self.pid, os.getpid()):
                os.close(fd)
                return
            self.inner, self.inner_fd = pid, fd

    def bind(self, now: float) -> None:
        """A run begins: what was used while waiting is not its own."""
        self.waits, self.started, self.memory_seen = False, now, 0
        if self.group is not None:
            self.group.bound(self.spec.memory_bytes, self.spec.processes + 2)
            self.group.forget_peak()
            self.cpu_before_ms = self.group.cpu_ms()
        else:
            self.cpu_waiting_ms = measure.tree(self.pid, memory=False).cpu_ms
        self.cpu_seen_ms = 0
        self.next_check = now

    def kill(self, reason: str) -> None:
        """The first reason stands. Ending the first process inside ends all of them, whatever they ignore."""
        self.reason = self.reason or reason
        if not self.inner:
            for child in measure.children(self.pid):
                self._meet(child)
        for fd in (self.inner_fd, self.pidfd):
            if fd >= 0:
                with suppress(OSError):
                    signal.pidfd_send_signal(fd, signal.SIGKILL)
        for pid in self.group.pids() if self.group else ():
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)

    def check(self, now: float) -> None:
        """Compare with the bounds nobody else watches and say when to look again (`next_check`)."""
        if self.waits:
            self._check_waiting(now)
        elif now - self.started >= self.spec.wall_s:
            self.kill("wall")
        if self.reason:
            self.kill(self.reason)
            self.next_check = now + _POLL_S
            return
        if self.waits:
            return
        if self.group is not None:
            self.cpu_seen_ms = self.group.cpu_ms() - self.cpu_before_ms
            if self.group.out_of_memory():  # version 1 may end a child and leave the rest to limp on
                self.kill("memory")
            # CPU time cannot be used up sooner than this many seconds from now
            pause = (self.spec.cpu_s - self.cpu_seen_ms / 1000) / (os.cpu_count() or 1)
        else:
            tree = measure.tree(self.pid)
            self.cpu_seen_ms = max(self.cpu_seen_ms, tree.cpu_ms - self.cpu_waiting_ms)
            self.memory_seen = max(self.memory_seen, tree.memory_bytes)
            pause = _POLL_S
            if tree.memory_bytes > self.spec.memory_bytes:
                self.kill("memory")
        if self.cpu_seen_ms >= self.spec.cpu_s * 1000:
            self.kill("cpu")
        self.next_check = min(
            now + min(max(pause, _POLL_S), _POLL_AT_MOST_S), self.started + self.spec.wall_s
        )

    def _check_waiting(self, now: float) -> None:
        if self.group is not None:
            used = self.group.cpu_ms() - self.cpu_before_ms
        else:
            tree = measure.tree(self.pid)
            used = tree.cpu_ms
            if tree.memory_bytes > WAITING_MEMORY:
                self.kill("memory")
        if used >= WAITING_CPU_S * 1000:
            self.kill("cpu")
        self.next_check = now + _WAITING_POLL_S

    def reaped(self, used: resource.struct_rusage) -> None:
        """A process of ours was waited for; its times include those of the children it waited for."""
        self.cpu_reaped_ms += int((used.ru_utime + used.ru_stime) * 1000)
        self.memory_seen = max(self.memory_seen, used.ru_maxrss << 10)

    def verdict(self, now: float) -> Verdict:
        """Call once `empty`."""
        if self.group is not None:
            cpu = max(self.group.cpu_ms() - self.cpu_before_ms, self.cpu_seen_ms)
        else:
            cpu = max(self.cpu_seen_ms, self.cpu_reaped_ms - self.cpu_waiting_ms)
        memory = self.group.memory_peak() if self.group else self.memory_seen
        reason, code = self._reason(cpu)
        return Verdict(
            id=self.spec.id,
            reason=reason,
            exit_code=code if reason == "exited" else None,
            wall_ms=int((now - self.started) * 1000),
            cpu_ms=cpu,
            memory_peak_bytes=memory,
            box=self.box if self.box_fd < 0 else "",
        )

    def _reason(self, cpu_ms: int) -> tuple[str, int]:
        """A failure is named after a bound only where a counter outside says the bound was met."""
        code = self._exit_code()
        if self.reason or code == 0:
            return self.reason or "exited", code
        killed = code < 0
        fill = boxes.fill(self.box_fd if self.box_fd >= 0 else self.box)
        if killed and self.group is not None and self.group.out_of_memory():
            return "memory", code
        if killed and cpu_ms >= self.spec.cpu_s * 1000:
            return "cpu", code
        if self.group is not None and self.group.refused_forks():
            return "processes", code
        if fill.inodes_left == 0:
            return "inodes", code
        if fill.bytes_left < _PAGE:
            return "disk", code
        return "exited", code

    def _exit_code(self) -> int:
        """bwrap passes a signal on as 128 + n, as a shell does; code that exits so looks the same."""
        if os.WIFSIGNALED(self.wait_status):
            return -os.WTERMSIG(self.wait_status)
        code = os.WEXITSTATUS(self.wait_status)
        return 128 - code if 128 < code < 128 + signal.NSIG else code

    def close(self) -> None:
        for fd in (self.pidfd, self.inner_fd, self.status):
            if fd >= 0:
                os.close(fd)
