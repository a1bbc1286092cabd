"""The launcher's loop: orders in, verdicts out, one thread. Ends, and everything with it, at end of file."""

from __future__ import annotations

import fcntl
import math
import os
import platform
import select
import selectors
import signal
import socket
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from services.executor.launcher import cgroups, guest, kernel, measure, seccomp
from services.executor.launcher.boxes import Boxes, mount_points, remove_deleted, unneeded
from services.executor.launcher.protocol import Machine, Ready, Spec, Verdict, machine, receive, send, spec
from services.executor.launcher.sandboxes import WAITING_MEMORY, Running
from services.executor.launcher.spare import Spare, prepare

_PREPARE_AFTER_S = 0.03  # leave the processor to the sandbox that is just starting
_RETRY_S = 0.005
_GROUPS_AGAIN_S = 0.1
_LAST_WAIT_S = 2.0


class Launcher:
    def __init__(self, channel: socket.socket, about: Machine) -> None:
        self._channel = channel
        self._machine = about
        self._selector = selectors.DefaultSelector()
        self._running: dict[str, Running] = {}
        self._free = list(range(about.slots))[::-1]
        self._slot_of: dict[str, int] = {}
        self._groups_left: list[cgroups.Group] = []
        self._groups_at = math.inf
        self._spare: Spare | None = None
        self._spare_at = 0.0
        self._made = 0
        self._is_root = os.geteuid() == 0
        self._boxes = Boxes(Path(about.root) / "boxes", mounted=self._is_root)
        folder = os.stat(about.root)
        self._name = f"agentbuilder-{folder.st_dev:x}-{folder.st_ino:x}"
        self._groups: cgroups.Groups = cgroups.NoGroups()

    def open(self) -> Ready:
        """Take the folder for ourselves (waits for an earlier launcher to finish dying), clean, prepare."""
        self._lock = os.open(f"{self._machine.root}/lock", os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        for charged in (True, False):
            program = seccomp.program(platform.machine(), memory_is_charged=charged)
            Path(f"{self._machine.root}/runtime/{guest.filter_name(charged)}").write_bytes(program)
        if self._is_root:
            remove_deleted()
            self._machine = replace(self._machine, unneeded=unneeded(mount_points()))
        try:
            self._boxes.open()
        except OSError as error:
            return Ready(unavailable=str(error))
        self._groups = cgroups.find(
            self._name, Path("/proc/self/mountinfo").read_text(), Path("/proc/self/cgroup").read_text()
        )
        self._groups.sweep()
        self._selector.register(self._channel, selectors.EVENT_READ, None)
        self._prepare()
        always = {"wall", "cpu", "memory", "processes", "disk", "inodes", "files", "output"}
        return Ready(tuple(sorted(always - set(self._groups.missing))), self._groups.missing)

    def run(self) -> None:
        while True:
            for key, _events in self._selector.select(self._pause()):
                if key.data is not None:
                    self._stir(*key.data)
                elif not self._take_orders():
                    return
            now = time.monotonic()
            for running in list(self._running.values()):
                if now >= running.next_check:
                    running.check(now)
                if running.outer_gone:
                    self._finish(running, now)
            if self._spare is None and now >= self._spare_at:
                self._prepare()
            if now >= self._groups_at:
                self._remove_groups(now)
            self._reap_strangers()

    def _pause(self) -> float | None:
        """Seconds until something is due without anyone telling us."""
        due = [r.next_check for r in self._running.values()]
        due += [time.monotonic() + _RETRY_S for r in self._running.values() if r.outer_gone]
        if self._spare is None:
            due.append(self._spare_at)
        due.append(self._groups_at)
        soonest = min(due)
        return None if soonest == math.inf else max(0.0, soonest - time.monotonic())

    def _take_orders(self) -> bool:
        """All that have come: what was ordered for a sandbox counts before its end, which may be seen in the same
        round. False: there will be none any more."""
        while self._order():
            if not select.select([self._channel], [], [], 0)[0]:
                return True
        return False

    def _order(self) -> bool:
        message = receive(self._channel)
        if message is None:
            return False
        kind, body, fds = message
        if kind == "start":
            self._start(body, fds)
        elif kind == "kill" and body["id"] in self._running:
            self._running[body["id"]].kill(body["reason"])
        elif kind == "bind" and body["id"] in self._running:
            self._running[body["id"]].bind(time.monotonic())
        elif kind == "measure":
            self._measure()
        elif kind == "release":
            self._release(body["id"])
        elif kind == "sweep":
            for id in self._boxes.left():
                if id in self._running and id not in body["known"]:
                    self._running[id].kill("stopped")
                elif id not in body["known"]:
                    self._release(id)
        return True

    def _start(self, body: dict[str, Any], fds: list[int]) -> None:
        order = spec(body)
        spare: Spare | None = None
        try:
            if not self._free:
                raise OSError(f"all {self._machine.slots} sandboxes of this machine are taken")
            self._slot_of[order.id] = slot = self._free.pop()
            uid = self._uid(order, slot)
            box = self._boxes.make(order.id, disk_bytes=order.disk_bytes, inodes=order.inodes, owner=uid)
            spare = self._spare or self._prepare()
            self._spare, self._spare_at = None, time.monotonic() + _PREPARE_AFTER_S
            if spare.group is not None:
                # two more: bwrap outside and the first process inside
                memory = min(order.memory_bytes, WAITING_MEMORY) if order.waits else order.memory_bytes
                spare.group.bound(memory, order.processes + 2)
            running = Running(
                order, slot, spare.pid, spare.pidfd, spare.status, spare.group, box, time.monotonic()
            )
            running.waits = order.waits
            running.cpu_before_ms = spare.group.cpu_ms() if spare.group else 0
            self._running[order.id] = running
            spare.go(guest.Start(order, uid, box, spare.group is not None), tuple(fds))
            self._watch(running, spare)
        except OSError as error:
            self._running.pop(order.id, None)
            if spare is not None:
                spare.drop()
            self._tell(Verdict(order.id, "unstartable", None, 0, 0, 0, detail=str(error)))
        finally:
            for fd in fds:
                os.close(fd)

    def _measure(self) -> None:
        """Tell what those that wait hold of this machine's memory. A millisecond or two for each."""
        waiting = [running for running in self._running.values() if running.waits and not running.reason]
        found = {running.spec.id: measure.tree(running.pid).memory_bytes for running in waiting}
        with suppress(OSError):
            send(self._channel, "measured", found)

    def _uid(self, order: Spec, slot: int) -> int:
        """One user per slot; who reads another's box runs as that box's owner, else it could not."""
        if not self._is_root:
            return os.geteuid()
        for host, _inside in order.mounts:
            owner = self._boxes.id_of(host)
            if owner in self._slot_of:
                return self._machine.first_uid + self._slot_of[owner]
        return self._machine.first_uid + slot

    def _watch(self, running: Running, spare: Spare) -> None:
        id = running.spec.id
        os.set_blocking(running.status, False)
        self._selector.register(running.pidfd, selectors.EVENT_READ, (id, "outer", None))
        self._selector.register(running.status, selectors.EVENT_READ, (id, "status", None))
        if self._is_root:
            spare.orders.close()
        else:
            self._selector.register(spare.orders, selectors.EVENT_READ, (id, "box", spare.orders))
        running.check(running.started)

    def _stir(self, id: str, what: str, orders: socket.socket | None) -> None:
        running = self._running[id]
        if what == "status":
            if not running.read_status():
                self._selector.unregister(running.status)
            self._watch_inner(running)
        elif what == "outer":
            self._selector.unregister(running.pidfd)
            self._outer_gone(running)
        elif what == "inner":
            self._selector.unregister(running.inner_fd)
            running.inner_gone = True
        elif orders is not None:
            message = receive(orders)
            if message is not None and message[2]:
                running.box_fd = message[2][0]
            self._selector.unregister(orders)
            orders.close()

    def _watch_inner(self, running: Running) -> None:
        if running.inner_fd >= 0 and running.inner_fd not in self._selector.get_map():
            self._selector.register(running.inner_fd, selectors.EVENT_READ, (running.spec.id, "inner", None))

    def _outer_gone(self, running: Running) -> None:
        _pid, running.wait_status, used = os.wait4(running.pid, 0)
        running.reaped(used)
        running.outer_gone = True
        running.read_status()  # its last words may still be in the pipe
        self._watch_inner(running)

    def _finish(self, running: Running, now: float) -> None:
        if not running.empty:
            running.kill(running.reason)
            return
        if running.inner:
            with suppress(ChildProcessError):  # bwrap outside has waited for it: its times are in bwrap's
                _pid, _status, used = os.wait4(running.inner, os.WNOHANG)
                running.reaped(used)
        verdict = running.verdict(now)
        del self._running[running.spec.id]
        for key in list(self._selector.get_map().values()):
            if key.data is not None and key.data[0] == running.spec.id:
                self._selector.unregister(key.fileobj)
                if key.data[2] is not None:
                    key.data[2].close()
        running.close()
        if running.group is not None:
            self._groups_left.append(running.group)
        self._tell(verdict, running.box_fd)

    def _tell(self, verdict: Verdict, box_fd: int = -1) -> None:
        with suppress(OSError):  # the executor is gone: the loop ends at end of file
            send(self._channel, "ended", verdict, (box_fd,) if box_fd >= 0 else ())
        if box_fd >= 0:
            os.close(box_fd)

    def _release(self, id: str) -> None:
        self._boxes.remove(id)
        if id not in self._running and id in self._slot_of:
            self._free.append(self._slot_of.pop(id))
        self._remove_groups(time.monotonic())

    def _remove_groups(self, now: float) -> None:
        """A group whose last process has just died may refuse for a moment."""
        self._groups_left = [group for group in self._groups_left if not group.remove()]
        self._groups_at = now + _GROUPS_AGAIN_S if self._groups_left else math.inf

    def _prepare(self) -> Spare:
        self._made += 1
        group = self._groups.make(f"{os.getpid()}-{self._made}")
        others = [r.box_fd for r in self._running.values() if r.box_fd >= 0]
        mine = (self._channel.fileno(), self._lock, self._selector.fileno(), *others)
        self._spare = prepare(self._machine, group, mine)
        return self._spare

    def _reap_strangers(self) -> None:
        """Orphans of sandboxes come to us (we are their subreaper)."""
        ours = {r.pid for r in self._running.values()} | {r.inner for r in self._running.values()}
        ours |= {self._spare.pid} if self._spare else set()
        with suppress(ChildProcessError):
            while True:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if found is None or found.si_pid in ours:
                    return
                os.waitpid(found.si_pid, 0)

    def close(self) -> None:
        for running in self._running.values():
            running.kill("stopped")
        for running in self._running.values():
            with suppress(OSError):
                os.waitpid(running.pid, 0)
            if running.inner_fd >= 0:
                select.select([running.inner_fd], [], [], _LAST_WAIT_S)
        if self._spare is not None:
            self._spare.drop()
            with suppress(OSError):
                os.waitpid(self._spare.pid, 0)
        self._groups.sweep()
        self._groups.close()
        self._boxes.close()


def serve(fd: int) -> None:
    """Entry point: speak over the inherited socket until the executor goes away."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a Ctrl-C is the executor's to answer; we end at end of file
    kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    channel = socket.socket(fileno=fd)
    channel.set_inheritable(False)
    first = receive(channel)
    if first is None:
        return
    launcher = Launcher(channel, machine(first[1]))
    try:
        send(channel, "ready", launcher.open())
        launcher.run()
    finally:
        launcher.close()
