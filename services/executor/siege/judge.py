"""Runs cases in a sandbox and judges them: by what they print, how they end, and what they leave.

What a case leaves is never believed to be harmless: it goes through the collector and the checker as any run's.
"""

from __future__ import annotations

import shutil
import socket
import stat
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from services.executor.attempts import collector
from services.executor.attempts.oneshot import read_plain
from services.executor.checker.facts import read_facts
from services.executor.egress.gateway import EgressGateway
from services.executor.egress.model import EgressRun
from services.executor.ports import Ended, Order, RunLimits, Sandbox
from services.executor.siege.cases import Case, Verdict
from shared.errors import ProjectError

CANARY_FOLDER = Path("/var/tmp/canary")  # noqa: S108 - the given cases name it
CANARY, CANARY_PORT = "canary", 39871
# Short, and long enough for the slowest case that should end by itself.
LIMITS = RunLimits(wall_s=4, cpu_s=2, memory_bytes=256 << 20, disk_bytes=64 << 20, output_bytes=1 << 20)
_CHECK_LIMITS = RunLimits(wall_s=20, cpu_s=10)
_PATIENCE_S = 120.0
_FACTS_BYTES = 8 << 20
_CHECKER = Path(__file__).parents[1] / "checker"
_NOW = "2026-01-01T00:00:00.000000Z"


@dataclass(frozen=True)
class Found:
    case: Case
    verdict: Verdict
    held: bool
    shown: str


@dataclass
class _Sink:
    text: bytes = b""
    stderr: bytes = b""
    result: Ended | None = None
    done: threading.Event = field(default_factory=threading.Event)

    def first_line(self) -> None:
        return None

    def log(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        if stream == "stdout":
            self.text += data
        else:
            self.stderr += data

    def report(self, entry: Mapping[str, object]) -> None:
        return None

    def ended(self, result: Ended) -> None:
        self.result = result
        self.done.set()


@contextmanager
def canaries() -> Iterator[None]:
    """A file and a socket on the machine that every user may reach; the cases look for them."""
    CANARY_FOLDER.mkdir(exist_ok=True)
    file, path = CANARY_FOLDER / "host.txt", CANARY_FOLDER / "host.sock"
    with suppress(PermissionError):  # another user's made it: just as good
        file.write_text(CANARY)
        path.unlink(missing_ok=True)
    with (
        socket.socket(socket.AF_UNIX) as listener,
        socket.socket(socket.AF_UNIX) as abstract,
        socket.socket(socket.AF_INET) as loopback,
    ):
        with suppress(OSError):
            listener.bind(str(path))
            path.chmod(0o777)
            listener.listen()
        with suppress(OSError):
            abstract.bind("\0agentbuilder-canary")
            abstract.listen()
        loopback.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):  # taken: whoever has it is just as good
            loopback.bind(("127.0.0.1", CANARY_PORT))
            loopback.listen()
        yield


class Judge:
    """folder: a place of its own that sandboxes' users may enter."""

    def __init__(self, sandbox: Sandbox, folder: Path, backend: str, *, at_once: int = 4) -> None:
        self._sandbox = sandbox
        self._folder = folder
        self._backend = backend
        self._at_once = at_once
        self._gateway = EgressGateway()

    def try_all(
        self, cases: Sequence[Case], tell: Callable[[Found], None] = lambda _found: None
    ) -> list[Found]:
        """In the order of `cases`; `tell` hears of each as it ends."""

        def one(case: Case) -> Found:
            found = self.try_one(case)
            tell(found)
            return found

        try:
            with canaries(), ThreadPoolExecutor(self._at_once) as pool:
                return list(pool.map(one, cases))
        finally:
            self._gateway.stop()

    def _way_out(self, id: str) -> Callable[[socket.socket], str]:
        """The real gateway, with no host allowed."""
        run = EgressRun(id=id, hosts=(), record=lambda _exchange: None)
        return lambda listener: self._gateway.open(run, listener)

    def try_one(self, case: Case) -> Found:
        code = self._folder / f"code-{case.id}"
        shutil.rmtree(code, ignore_errors=True)
        code.mkdir(parents=True)
        code.chmod(0o755)
        (code / "main.py").write_text(case.code, encoding="utf-8")
        (code / "main.py").chmod(0o644)
        order = Order(
            id=f"siege-{case.id}",
            code_dir=code,
            limits=LIMITS,
            state=case.archive(),
            egress=self._way_out(case.id) if case.egress else None,
        )
        sink = _Sink()
        self._sandbox.start(order, sink)
        try:
            if not sink.done.wait(_PATIENCE_S) or sink.result is None:
                self._sandbox.stop(order.id)
                return self._found(case, "CRASHED", "it never ended")
            verdict, shown = _by_words(sink, sink.result, bool(case.state))
            if verdict == "ESCAPED" and case.is_within(self._backend, _from_escaped(sink.text)):
                verdict = "WITHIN"
            try:
                self._pass_on(case, sink.result)
            except Exception as error:  # noqa: BLE001 - any of them is what the case wanted
                return self._found(case, "CRASHED", f"{type(error).__name__}: {error}")
            return self._found(case, verdict, shown)
        finally:
            self._gateway.close(case.id)
            self._sandbox.release(order.id)
            shutil.rmtree(code, ignore_errors=True)

    def _found(self, case: Case, verdict: Verdict, shown: str) -> Found:
        expected = case.held_by(self._backend)
        if "HARMLESS" in expected:
            expected |= {"BLOCKED", "KILLED", "LIMITED"}
        if verdict == "WITHIN":
            expected |= {"WITHIN"}
        return Found(case, verdict, verdict in expected, shown)

    def _pass_on(self, case: Case, result: Ended) -> None:
        """Take what it left as the platform takes any run's. AssertionError or whatever broke."""
        if result.box is None:
            return
        kept = self._folder / f"kept-{case.id}"
        try:
            outputs = collector.collect(result.box / "outputs", kept / "outputs", max_bytes=LIMITS.disk_bytes)
            state = collector.collect(
                result.box / "state", kept / "state", max_bytes=LIMITS.disk_bytes, compose=False
            )
            collector.archive(state)
            _demand_plain(kept)
            if outputs.files:
                self._measure(case, kept / "outputs")
        finally:
            shutil.rmtree(kept, ignore_errors=True)

    def _measure(self, case: Case, outputs: Path) -> None:
        for path in (outputs, *outputs.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        order = Order(
            id=f"siege-check-{case.id}",
            code_dir=_CHECKER,
            entry="measure.py",
            limits=_CHECK_LIMITS,
            mounts={"/outputs": outputs},
            now=_NOW,
        )
        sink = _Sink()
        self._sandbox.start(order, sink)
        try:
            sink.done.wait(_PATIENCE_S)
            result = sink.result
            if result is None or result.box is None:
                raise AssertionError("the checker did not end")
            if result.reason != "exited":
                return  # a bound ended it: the run would end as one whose files cannot be measured
            data = read_plain(result.box / "outputs" / "facts.json", _FACTS_BYTES)
            if result.exit_code != 0 or data is None:
                raise AssertionError(f"the checker ended with {result.exit_code}: {sink.stderr[-200:]!r}")
            with suppress(ProjectError):  # refused is fine, that is what reading it with suspicion is for
                read_facts(data, now=_NOW)
        finally:
            self._sandbox.release(order.id)


def _demand_plain(kept: Path) -> None:
    """Nothing but folders and single plain files may have come through, and no word of the canary."""
    for path in kept.rglob("*"):
        about = path.lstat()
        if not stat.S_ISDIR(about.st_mode) and not (stat.S_ISREG(about.st_mode) and about.st_nlink == 1):
            raise AssertionError(f"the collector let {ascii(path.name)[:60]} through")
        if (
            stat.S_ISREG(about.st_mode)
            and about.st_size < 1 << 16
            and path.read_bytes().startswith(b"root:x:0:0:root")
        ):
            raise AssertionError("the collector read a file of the machine")


def _by_words(sink: _Sink, result: Ended, state: bool) -> tuple[Verdict, str]:
    text = sink.text.decode(errors="replace")
    shown = f"{result.reason} {result.exit_code} {text[:200]} {sink.stderr[-200:]!r}"
    if "ESCAPED" in text:
        return "ESCAPED", shown
    if result.reason == "unstartable":
        # a state that cannot be unpacked ends its own run before the first line; nothing else may
        return ("KILLED" if state else "CRASHED"), f"{shown} {result.detail}"
    if "BLOCKED" in text:
        return "BLOCKED", shown
    if result.reason == "output":
        return "LIMITED", shown
    if result.reason != "exited" or result.exit_code:
        return "KILLED", shown
    return "HARMLESS", shown


def _from_escaped(text: bytes) -> str:
    words = text.decode(errors="replace")
    return words[words.index("ESCAPED") :]
