"""The sandbox of one machine: bubblewrap, started by the launcher process.

docs/decisions/0009-launcher-process.md says why there is a launcher.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from services.executor.adapters import host
from services.executor.adapters.attempt import Attempt, channels
from services.executor.adapters.cures import cure
from services.executor.adapters.ending import Ending
from services.executor.adapters.job import Guest
from services.executor.adapters.kept_box import keep
from services.executor.adapters.launcher_process import LauncherProcess
from services.executor.adapters.standby import Standby, Standbys
from services.executor.launcher.protocol import Machine, Spec, Verdict
from services.executor.ports import AttemptSink, Ended, EndReason, Enforcement, Order, Usage, Waiting
from shared.errors import BadRequest, ProjectError, Unavailable

_PACKAGE = Path(__file__).parents[1]
_LIBRARY = Path(__file__).parents[3] / "sdk" / "agent"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_PROBE = "sandbox-probe"
_WARM = "warm-"
_JOIN_S = 10.0
_NOTHING = Ended("lost", None, Usage(), detail="The sandbox died with its launcher.")


@dataclass(frozen=True)
class _Held:
    """sandbox: the launcher's name for it; the attempt's id unless it was one that waited."""

    attempt: Attempt
    order: Order
    sandbox: str


class BubblewrapSandbox:
    """root: a folder of this sandbox's own (made if absent), not shared with another executor process."""

    def __init__(
        self, root: Path, *, library: Path = _LIBRARY, slots: int = 64, first_uid: int = 20000
    ) -> None:
        self._root = root
        self._library = library
        self._slots = slots
        self._first_uid = first_uid
        self._lock = threading.RLock()
        self._launcher: LauncherProcess | None = None
        self._attempts: dict[str, _Held] = {}
        self._attempt_in: dict[str, str] = {}
        self._taking = threading.Lock()
        self._standbys = Standbys(_WARM)
        self._closed = False

    @property
    def launcher_pid(self) -> int | None:
        """For whoever watches processes; None before the first start."""
        return None if self._launcher is None else self._launcher.pid

    def start(self, order: Order, sink: AttemptSink) -> str:
        if not _ID.fullmatch(order.id):
            raise BadRequest("An attempt id may hold letters, digits, dot, dash and underscore only.")
        with self._lock:
            if order.id in self._attempts:
                return order.id
            launcher = self._ready_launcher()
            standby = self._take_one(order, sink)
            if standby is None:
                self._begin(launcher, order, sink)
        if standby is not None:
            self._tell("bind", {"id": standby.id})
            standby.start()
        return order.id

    def _take_one(self, order: Order, sink: AttemptSink) -> Standby | None:
        with self._taking:
            taken = self._standbys.take(order, sink, lambda: self._start_cold(order, sink))
            if taken is None:
                return None
            standby, attempt = taken
            self._hold(attempt, order, standby.id)
            return standby

    def _start_cold(self, order: Order, sink: AttemptSink) -> None:
        """The sandbox that waited for it died before the first line: as if there had been none."""
        with self._lock:
            waited = self._attempts[order.id].sandbox
            self._let_go(order.id)
            try:
                self._begin(self._ready_launcher(), order, sink)
            except ProjectError as error:
                sink.ended(Ended("unstartable", None, Usage(), detail=error.detail))
        self._discard(waited)

    def warm(self, order: Order, on_gone: Callable[[str], None]) -> None:
        self._demand_readable(order)
        with self._lock:
            launcher = self._ready_launcher()
            id = self._standbys.new_id()
            ours, theirs = channels()
            standby = Standby(id, order, ours, self._guest(order), self._killer(id), on_gone)
            self._standbys.add(standby)
            try:
                launcher.tell("start", self._spec(order, id, waits=True), theirs)
            except OSError:
                standby.over(told=True)
                self._standbys.forget(id)
            finally:
                for fd in theirs:
                    os.close(fd)
        standby.begin()

    def waiting(self) -> tuple[Waiting, ...]:
        found = self._standbys.waiting()
        if found:
            self._tell("measure", {})
        return found

    def cool(self, id: str) -> None:
        standby = self._standbys.find(id)
        if standby is not None:
            standby.cool()

    def observe(self, handle: str) -> Literal["running", "unknown"] | Ended:
        with self._lock:
            held = self._attempts.get(handle)
        return "unknown" if held is None else held.attempt.ended or "running"

    def stop(self, handle: str, reason: EndReason = "stopped") -> None:
        held = self._attempts.get(handle)
        if held is not None:
            self._tell("kill", {"id": held.sandbox, "reason": reason})

    def release(self, handle: str) -> None:
        with self._lock:
            held = self._attempts.get(handle)
            if held is None or held.attempt.ended is None:
                return
            self._let_go(handle)
        held.attempt.join(_JOIN_S)
        self._discard(held.sandbox)

    def sweep(self, known: Collection[str]) -> None:
        with self._lock:
            self._ready_launcher()
            strangers = {id: held for id, held in self._attempts.items() if id not in known}
        for id, held in strangers.items():
            self.stop(id)
            held.attempt.join(_JOIN_S)
            self.release(id)
        known = {*known, *self._sandboxes()}
        self._tell("sweep", {"known": sorted(known)})
        kept = self._root / "kept"
        for folder in kept.iterdir() if kept.is_dir() else ():
            if folder.name not in known:
                shutil.rmtree(folder, ignore_errors=True)

    def enforcement(self) -> Enforcement:
        try:
            with self._lock:
                ready = self._ready_launcher().ready
        except Unavailable as error:
            return Enforcement("bubblewrap", frozenset(), {"all": error.detail})
        return Enforcement("bubblewrap", frozenset(ready.enforced), ready.missing)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            launcher, self._launcher = self._launcher, None
        if launcher is not None:
            launcher.close()
        for held in list(self._attempts.values()):
            held.attempt.join(_JOIN_S)
        for standby in self._standbys.all():
            standby.join(_JOIN_S)

    def _ready_launcher(self) -> LauncherProcess:
        """The launcher, started (again) when there is none, and proven by one empty sandbox."""
        if self._closed:
            raise Unavailable("This sandbox is closed.")
        if self._launcher is not None and self._launcher.alive:
            return self._launcher
        if self._launcher is not None:
            self._launcher.close()  # dead: its descriptors remain
            self._launcher = None
        found = host.interpreter()
        bwrap = host.bubblewrap()
        self._root.mkdir(parents=True, exist_ok=True)
        self._root.chmod(0o755)
        about = Machine(
            root=str(self._root.resolve()),
            bwrap=str(
                host.furnish(
                    self._root.resolve() / "runtime",
                    bwrap,
                    self._library,
                    _PACKAGE / "runner" / "bootstrap.py",
                )
            ),
            python=str(found.program),
            prefix=str(found.prefix),
            hidden=tuple(str(path) for path in found.hidden),
            first_uid=self._first_uid,
            slots=self._slots,
        )
        launcher = LauncherProcess(about, found.program, self._hear, self._lost)
        launcher.tell("sweep", {"known": sorted(self._sandboxes())})
        self._prove(launcher)
        self._launcher = launcher
        return launcher

    def _prove(self, launcher: LauncherProcess) -> None:
        """Unavailable, with the command that helps, when an empty program does not run."""
        folder = self._root / "probe"
        folder.mkdir(exist_ok=True)
        (folder / "main.py").write_text("")
        ending = Ending()
        self._begin(launcher, Order(_PROBE, folder), ending)
        try:
            result = ending.wait()
            if result.reason != "exited" or result.exit_code != 0:
                launcher.close()
                raise Unavailable(cure(result.detail or result.reason))
        finally:
            self._let_go(_PROBE)
            shutil.rmtree(self._root / "kept" / _PROBE, ignore_errors=True)
        launcher.tell("release", {"id": _PROBE})

    def _begin(self, launcher: LauncherProcess, order: Order, sink: AttemptSink) -> None:
        self._demand_readable(order)
        ours, theirs = channels()

        def kill(reason: EndReason) -> None:
            with suppress(OSError):
                launcher.tell("kill", {"id": order.id, "reason": reason})

        attempt = Attempt(order, sink, ours, self._guest(order), kill)
        self._hold(attempt, order, order.id)
        try:
            launcher.tell("start", self._spec(order, order.id, waits=False), theirs)
        except OSError:
            attempt.finish(lambda: _NOTHING)
        finally:
            for fd in theirs:
                os.close(fd)
        attempt.begin()

    def _demand_readable(self, order: Order) -> None:
        for folder in (order.code_dir, *order.site_dirs):
            host.demand_readable(folder)

    def _guest(self, order: Order) -> Guest:
        return Guest(
            app="/app",
            lib="/runner/lib",
            scratch="/tmp/.agent",  # noqa: S108 - a folder of the sandbox's own
            site=tuple(f"/site/{at}" for at, _path in enumerate(order.site_dirs)),
            mounts={inside: inside for inside in order.mounts},
        )

    def _spec(self, order: Order, id: str, *, waits: bool) -> Spec:
        site = [(str(path.resolve()), f"/site/{at}") for at, path in enumerate(order.site_dirs)]
        extra = [(str(host_path.resolve()), inside) for inside, host_path in order.mounts.items()]
        limits = order.limits
        return Spec(
            id=id,
            mounts=((str(order.code_dir.resolve()), "/app"), *site, *extra),
            egress=order.egress is not None,
            wall_s=limits.wall_s,
            cpu_s=limits.cpu_s,
            memory_bytes=limits.memory_bytes,
            disk_bytes=limits.disk_bytes,
            inodes=limits.inodes,
            processes=limits.processes,
            open_files=limits.open_files,
            waits=waits,
            writable=tuple((str(path.resolve()), inside) for inside, path in order.writable.items()),
        )

    def _killer(self, id: str) -> Callable[[EndReason], None]:
        return lambda reason: self._tell("kill", {"id": id, "reason": reason})

    def _hold(self, attempt: Attempt, order: Order, sandbox: str) -> None:
        self._attempts[order.id] = _Held(attempt, order, sandbox)
        self._attempt_in[sandbox] = order.id

    def _let_go(self, attempt_id: str) -> None:
        held = self._attempts.pop(attempt_id, None)
        if held is not None:
            self._attempt_in.pop(held.sandbox, None)

    def _sandboxes(self) -> set[str]:
        return {*self._attempt_in, *(standby.id for standby in self._standbys.all())}

    def _discard(self, sandbox: str) -> None:
        shutil.rmtree(self._root / "kept" / sandbox, ignore_errors=True)
        self._tell("release", {"id": sandbox})

    def _tell(self, kind: str, body: Mapping[str, object]) -> None:
        launcher = self._launcher
        if launcher is not None:
            with suppress(OSError):  # its death ends every attempt by itself
                launcher.tell(kind, body)

    def _hear(self, kind: str, body: dict[str, Any], fds: list[int]) -> None:
        if kind == "measured":
            self._standbys.measured(body)
        if kind != "ended":
            return
        verdict = Verdict(**body)
        held = self._held_in(verdict.id)
        if held is not None:
            held.attempt.finish(lambda: self._ended(held, verdict, fds))
            return
        for fd in fds:
            os.close(fd)
        self._without_a_run(verdict.id, told=False)

    def _held_in(self, sandbox: str) -> _Held | None:
        """Also of one that is just being taken."""
        with self._taking:
            attempt_id = self._attempt_in.get(sandbox)
            return self._attempts.get(attempt_id) if attempt_id is not None else None

    def _without_a_run(self, sandbox: str, *, told: bool) -> None:
        standby = self._standbys.forget(sandbox)
        if standby is not None:
            standby.over(told=told)
            self._discard(sandbox)

    def _ended(self, held: _Held, verdict: Verdict, fds: list[int]) -> Ended:
        usage = Usage(
            wall_ms=verdict.wall_ms, cpu_ms=verdict.cpu_ms, memory_peak_bytes=verdict.memory_peak_bytes
        )
        box = Path(verdict.box) / "box" if verdict.box else None
        for fd in fds:
            limits = held.order.limits
            with suppress(OSError):
                box = keep(
                    fd, self._root / "kept" / verdict.id, disk_bytes=limits.disk_bytes, inodes=limits.inodes
                )
            os.close(fd)
        reason: EndReason = verdict.reason  # type: ignore[assignment]  # the launcher is ours
        return Ended(reason, verdict.exit_code, usage, box, verdict.detail)

    def _lost(self) -> None:
        for held in list(self._attempts.values()):
            held.attempt.finish(lambda: _NOTHING)
        for standby in self._standbys.all():
            self._without_a_run(standby.id, told=True)
        threading.Thread(target=self._after_a_loss, name="launcher-again", daemon=True).start()

    def _after_a_loss(self) -> None:
        """A launcher that is killed takes its sandboxes along, but for one it was just making: the next launcher
        ends that, so it is not left for the next order to start it."""
        with suppress(ProjectError), self._lock:
            if self._launcher is not None:  # one that was proven, and nobody has closed it
                self._ready_launcher()
