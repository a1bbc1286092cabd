"""Sandboxes that are containers of an engine (Docker, runsc): the port, the door, the bounds watched outside."""

from __future__ import annotations

import logging
import os
import platform
import re
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from services.executor.adapters import host
from services.executor.adapters.attempt import Attempt, Ends
from services.executor.adapters.containers import Bind, Container, Engine, Plan, reason_of
from services.executor.adapters.door import Door
from services.executor.adapters.ending import Ending
from services.executor.adapters.job import Guest, settle
from services.executor.launcher import seccomp
from services.executor.launcher.boxes import PARTS, Boxes
from services.executor.ports import (
    AttemptSink,
    Ended,
    EndReason,
    Enforcement,
    Order,
    RunLimits,
    Usage,
    Waiting,
)
from shared.errors import BadRequest, Unavailable

_PACKAGE = Path(__file__).parents[1]
_LIBRARY = Path(__file__).parents[3] / "sdk" / "agent"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_PROBE = "sandbox-probe"
_JOIN_S = 20.0
_POLL_S = 0.05
_START_S = 60.0
SYSTEM = tuple(Path("/", name) for name in ("bin", "sbin", "lib", "lib64", "lib32", "libx32"))
_FROM_HOST_ETC = ("ld.so.cache", "fonts", "alternatives", "localtime")
_GROUP_FIRST = 16  # where a control group counts processes it should be the one to refuse
log = logging.getLogger(__name__)


@dataclass
class _Cell:
    """One attempt. `reason`: why we ended it, the first word stands."""

    order: Order
    sink: AttemptSink
    slot: int
    uid: int
    box: str
    door: Door
    container: Container | None = None
    attempt: Attempt | None = None
    reason: EndReason | None = None
    unstarted: Ended | None = None
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def ended(self) -> Ended | None:
        return self.unstarted if self.attempt is None else self.attempt.ended

    def end(self, reason: EndReason) -> None:
        self.reason = self.reason or reason
        if self.container is not None:
            self.container.kill()


class ContainedSandbox:
    """root: a folder of this sandbox's own (made if absent), not shared with another executor process."""

    def __init__(self, root: Path, engine: Engine, *, library: Path = _LIBRARY, slots: int = 32) -> None:
        self._root = root.resolve()
        self._engine = engine
        self._library = library
        self._lock = threading.RLock()
        self._cells: dict[str, _Cell] = {}
        self._slots = slots
        self._free = list(range(slots))[::-1]
        self._is_root = os.geteuid() == 0
        self._boxes = Boxes(self._root / "boxes", mounted=self._is_root)
        self._opened = False
        self._closed = False

    def start(self, order: Order, sink: AttemptSink) -> str:
        if not _ID.fullmatch(order.id):
            raise BadRequest("An attempt id may hold letters, digits, dot, dash and underscore only.")
        with self._lock:
            if order.id not in self._cells:
                self._open()
                self._begin(order, sink)
        return order.id

    def observe(self, handle: str) -> Literal["running", "unknown"] | Ended:
        with self._lock:
            cell = self._cells.get(handle)
        return "unknown" if cell is None else cell.ended or "running"

    def stop(self, handle: str, reason: EndReason = "stopped") -> None:
        with self._lock:
            cell = self._cells.get(handle)
        if cell is not None:
            cell.end(reason)

    def release(self, handle: str) -> None:
        with self._lock:
            cell = self._cells.get(handle)
            if cell is None or cell.ended is None:
                return
            del self._cells[handle]
            self._free.append(cell.slot)
        if cell.attempt is not None:
            cell.attempt.join(_JOIN_S)
        self._boxes.remove(handle)

    def sweep(self, known: Collection[str]) -> None:
        with self._lock:
            self._open()
            strangers = [id for id in self._cells if id not in known]
        for id in strangers:
            self.stop(id)
            self._cells[id].over.wait(_JOIN_S)
            self.release(id)
        held = {*known, *self._cells}
        self._engine.sweep(held)
        for id in self._boxes.left():
            if id not in held:
                self._boxes.remove(id)

    def warm(self, order: Order, on_spoilt: Callable[[str], None]) -> None:
        """Containers do not wait for runs: starting one costs far more than what waiting would save."""

    def waiting(self) -> tuple[Waiting, ...]:
        return ()

    def cool(self, id: str) -> None:
        """There are none."""

    def enforcement(self) -> Enforcement:
        try:
            with self._lock:
                self._open()
        except Unavailable as error:
            return Enforcement(self._engine.name, frozenset(), {"all": error.detail})
        return Enforcement(self._engine.name, self._engine.enforced, self._engine.missing)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            cells = list(self._cells.values())
        for cell in cells:
            cell.end("stopped")
        for cell in cells:
            cell.over.wait(_JOIN_S)
        if self._opened:
            self._shut()

    def _shut(self) -> None:
        self._engine.sweep(())
        self._engine.close()
        self._boxes.close()
        self._opened = False

    def _open(self) -> None:
        if self._closed:
            raise Unavailable("This sandbox is closed.")
        if self._opened:
            return
        self._root.mkdir(parents=True, exist_ok=True)
        runtime = self._root / "runtime"
        host.furnish(runtime, Path("/"), self._library, _PACKAGE / "runner" / "bootstrap.py")
        program = seccomp.program(platform.machine(), memory_is_charged="memory" in self._engine.enforced)
        (runtime / "guest" / "filter").write_bytes(program)
        uids = (
            range(self._engine.first_uid, self._engine.first_uid + self._slots)
            if self._is_root
            else [os.geteuid()]
        )
        (runtime / "etc" / "passwd").write_text(
            "".join(f"agent:x:{u}:{u}:agent:/box:/bin/sh\n" for u in uids)
        )
        (runtime / "etc" / "hostname").write_text("sandbox\n")
        (runtime / "etc" / "hostname").chmod(0o644)
        for folder in ("doors", "engine"):
            (self._root / folder).mkdir(mode=0o700, exist_ok=True)
        try:
            self._boxes.open()
        except OSError as error:
            raise Unavailable(f"The folders of sandboxes could not be made: {error}") from error
        try:
            self._engine.open(runtime, self._root / "engine")
        except Unavailable:
            self._boxes.close()
            raise
        self._opened = True
        self._engine.sweep(self._cells)
        try:
            self._prove()
        except Unavailable:
            self._shut()
            raise

    def _prove(self) -> None:
        """Unavailable, with what was said, when an empty program does not run."""
        folder = self._root / "probe"
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        (folder / "main.py").write_text("")
        (folder / "main.py").chmod(0o644)
        ending = Ending()
        self._begin(Order(_PROBE, folder, limits=RunLimits(wall_s=_START_S)), ending)
        result = ending.wait()
        self.release(_PROBE)
        if result.reason != "exited" or result.exit_code != 0:
            why = result.detail or result.reason
            raise Unavailable(f"{self._engine.name} is here, but an empty program did not run in it: {why}")

    def _begin(self, order: Order, sink: AttemptSink) -> None:
        for folder in (order.code_dir, *order.site_dirs):
            host.demand_readable(folder)
        if not self._free:
            raise Unavailable("All sandboxes of this machine are taken.")
        slot = self._free.pop()
        uid = self._uid(order, slot)
        limits = order.limits
        self._boxes.remove(order.id)
        box = self._boxes.make(order.id, disk_bytes=limits.disk_bytes, inodes=limits.inodes, owner=uid)
        if not self._is_root:
            for part in (*PARTS, "box/outputs", "box/state"):
                Path(box, part).mkdir(mode=0o700)
        relayed = order.egress is not None and not self._engine.by_rights
        door = Door(self._root / "doors" / order.id, way_out=relayed)
        cell = _Cell(order, sink, slot, uid, box, door)
        self._cells[order.id] = cell
        threading.Thread(target=self._live, args=(cell,), name=f"container-{order.id}", daemon=True).start()

    def _uid(self, order: Order, slot: int) -> int:
        """One user per slot; who reads another's box runs as that box's owner, else it could not."""
        if not self._is_root:
            return os.geteuid()
        for path in order.mounts.values():
            owner = self._cells.get(self._boxes.id_of(str(path.resolve())))
            if owner is not None:
                return owner.uid
        return self._engine.first_uid + slot

    def _live(self, cell: _Cell) -> None:
        """From start to end in one thread of its own; `ended` is told exactly once, whatever happens."""
        try:
            ended = self._run(cell)
        except Exception as error:
            log.exception("attempt %s: its container failed", cell.order.id)
            ended = Ended("unstartable", None, Usage(), detail=str(error)[:400])
        finally:
            with suppress(Exception):
                if cell.container is not None:
                    cell.container.remove()
            cell.door.close()
        if cell.attempt is None:
            if cell.door.way_out is not None:
                cell.door.way_out.close()  # the gateway never got it, so nobody else does
            cell.unstarted = ended
            cell.sink.ended(ended)
        else:
            done = ended
            cell.attempt.finish(lambda: done)
            cell.attempt.join(_JOIN_S)
        cell.over.set()

    def _run(self, cell: _Cell) -> Ended:
        container = cell.container = self._engine.run(self._plan(cell))
        if cell.reason:
            container.kill()
        late = time.monotonic() + _START_S

        def gone() -> bool:
            return bool(cell.reason) or container.wait(0) is not None or time.monotonic() > late

        ends = cell.door.answer(container.stdio, by_rights=self._engine.by_rights, gone=gone)
        began = time.monotonic()
        if ends is not None:
            self._connect(cell, ends)
        elif time.monotonic() > late:
            container.kill()
        status = self._watch(cell, container, began)
        seen = container.figures()
        usage = Usage(int((time.monotonic() - began) * 1000), seen.cpu_ms, seen.memory_peak_bytes)
        box = Path(cell.box) / "box"
        if cell.reason:
            return Ended(cell.reason, None, usage, box)
        if cell.attempt is None:
            return Ended("unstartable", None, usage, detail=container.said() or f"exit status {status}")
        reason, code = reason_of(status, seen, cell.order.limits, cell.box)
        return Ended(reason, code, usage, box)

    def _connect(self, cell: _Cell, ends: Ends) -> None:
        """With rights the runner hands its listening socket out and then gets its job, as under bubblewrap.
        Otherwise ours at the door stands for it, and the job can go at once."""
        guest = self._guest(cell.order)
        attempt = Attempt(cell.order, cell.sink, ends, guest, cell.end)
        if not self._engine.by_rights:
            with suppress(OSError):  # it died: its end says why
                ends.job.sendall(settle(cell.order, guest, wait=False))
            attempt.bind(cell.door.way_out)
        cell.attempt = attempt
        attempt.begin()

    def _watch(self, cell: _Cell, container: Container, began: float) -> int:
        """Until its end, comparing with the bounds nobody else watches."""
        limits = cell.order.limits
        while True:
            if cell.door.wait_for_end(_POLL_S):
                container.figures()
                cell.door.hang_up()
            status = container.wait(_POLL_S if cell.door.hung_up else 0)
            if status is not None:
                return status
            if time.monotonic() - began >= limits.wall_s:
                cell.end("wall")
            seen = container.figures()
            if seen.cpu_ms >= limits.cpu_s * 1000:
                cell.end("cpu")
            if seen.out_of_memory:
                cell.end("memory")
            if not self._is_root and (full := overfull(Path(cell.box), limits)):
                cell.end(full)
            if cell.reason:
                container.kill()

    def _guest(self, order: Order) -> Guest:
        return Guest(
            app="/app",
            lib="/runner/lib",
            scratch="/tmp/.agent",  # noqa: S108 - a folder of the sandbox's own
            site=tuple(f"/site/{at}" for at in range(len(order.site_dirs))),
            mounts={inside: inside for inside in order.mounts},
        )

    def _plan(self, cell: _Cell) -> Plan:
        order, found, runtime = cell.order, host.interpreter(), self._root / "runtime"
        binds = [Bind("/usr", "/usr"), Bind(str(runtime / "etc"), "/etc")]
        binds += [Bind(str(path), str(path)) for path in SYSTEM if path.is_dir() and not path.is_symlink()]
        for path in (Path("/etc", name) for name in _FROM_HOST_ETC):
            if path.exists():
                binds.append(Bind(str(path.resolve()), str(path)))
        if not str(found.prefix).startswith("/usr"):
            binds.append(Bind(str(found.prefix), str(found.prefix)))
        binds += [Bind(str(runtime / "empty"), str(path)) for path in found.hidden]
        binds += [Bind(str(runtime / "guest"), "/runner"), Bind(str(cell.door.folder), "/door")]
        binds += [Bind(f"{cell.box}/{part}", inside, True) for part, inside in PARTS.items()]
        binds.append(Bind(str(order.code_dir.resolve()), "/app"))
        binds += [Bind(str(path.resolve()), f"/site/{at}") for at, path in enumerate(order.site_dirs)]
        binds += [Bind(str(path.resolve()), inside) for inside, path in order.mounts.items()]
        for inside, path in order.writable.items():
            if self._is_root:
                os.chown(path, cell.uid, cell.uid)
            binds.append(Bind(str(path.resolve()), inside, True))
        way = "closed" if order.egress is None else "listen" if self._engine.by_rights else "relay"
        # as an ordinary user the count would be of all this user's processes: the engine's bound has to do
        bound = order.limits.processes + _GROUP_FIRST if self._is_root else 0
        command = (str(found.program), "-s", "-P", "-S", "/runner/bootstrap.pyc", way, str(bound))
        env = {"LANG": "C.UTF-8", "HOME": "/box", "PYTHONHASHSEED": "0"}
        env["PATH"] = f"{found.program.parent}:/usr/local/bin:/usr/bin:/bin"
        how = "rights" if self._engine.by_rights else self._engine.roles
        return Plan(order.id, cell.uid, (*command, how), env, tuple(binds), order.limits)


def overfull(box: Path, limits: RunLimits) -> EndReason | None:
    """Where no file system of its own bounds a box: which of its bounds it has passed, by looking."""
    size = count = 0
    for folder, folders, files in os.walk(box):
        count += len(folders) + len(files)
        for name in files:
            with suppress(OSError):
                size += os.lstat(f"{folder}/{name}").st_blocks * 512
    if size > limits.disk_bytes:
        return "disk"
    return "inodes" if count > limits.inodes + len(PARTS) + 3 else None
