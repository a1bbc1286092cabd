"""Helpers of the sandbox suites: a sink that remembers, and one call from code text to its end."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from services.executor.ports import Ended, Mark, Order, Sandbox, Superseded

_PATIENCE_S = 60


@dataclass
class RecordingSink:
    """calls: names in the order in which they came."""

    calls: list[str] = field(default_factory=list)
    stdout: bytes = b""
    stderr: bytes = b""
    reports: list[Mapping[str, object]] = field(default_factory=list)
    result: Ended | None = None
    began: threading.Event = field(default_factory=threading.Event)
    printed: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)

    def first_line(self) -> None:
        self.calls.append("first_line")
        self.began.set()

    def log(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        self.calls.append("log")
        if stream == "stdout":
            self.stdout += data
        else:
            self.stderr += data
        self.printed.set()

    def report(self, entry: Mapping[str, object]) -> None:
        self.calls.append("report")
        self.reports.append(entry)

    def ended(self, result: Ended) -> None:
        self.calls.append("ended")
        self.result = result
        self.done.set()

    def wait(self) -> Ended:
        assert self.done.wait(_PATIENCE_S), "the attempt never ended"
        assert self.result is not None
        return self.result

    @property
    def text(self) -> str:
        return self.stdout.decode(errors="replace")


@dataclass
class LastingRecordingSink(RecordingSink):
    """Of an attempt that outlives its process: give `kept` of the one to that of the next. taken: another process hears
    the attempt, and this one must not any more."""

    kept: Mark = field(default_factory=dict)
    taken: bool = False
    _now: Callable[[], Mark] = dict

    def marked(self, now: Callable[[], Mark]) -> Mark:
        self._now = now
        return self.kept

    @contextmanager
    def batch(self) -> Iterator[None]:
        yield
        self.demand_ours()
        self.kept = json.loads(json.dumps(dict(self._now())))

    def demand_ours(self) -> None:
        if self.taken:
            raise Superseded("Another process hears this attempt.")


class Bench:
    """Runs code texts in one sandbox; ids count up."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self._count = 0

    def order(self, code: str, **changes: Any) -> Order:
        self._count += 1
        code_dir = self.folder / f"code{self._count}"
        code_dir.mkdir()
        (code_dir / "main.py").write_text(code, encoding="utf-8")
        return replace(Order(f"att_{self._count}", code_dir), **changes)

    def start(self, order: Order) -> RecordingSink:
        sink = RecordingSink()
        self.sandbox.start(order, sink)
        return sink

    def run(self, code: str, **changes: Any) -> tuple[RecordingSink, Ended]:
        sink = self.start(self.order(code, **changes))
        return sink, sink.wait()
