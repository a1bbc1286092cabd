"""The sandbox alone: from the order until the first line of the code, and until its end was told."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from services.executor.adapters.bubblewrap import BubblewrapSandbox
from services.executor.ports import Ended, Order, RunLimits, shape
from tests.bench.agents import NOTHING
from tests.bench.figures import Limit, Row, Samples
from tests.bench.limits import BareSandbox, hand_overs


class _Sink:
    def __init__(self) -> None:
        self.printed = b""
        self.over = threading.Event()

    def first_line(self) -> None:
        return None

    def log(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        self.printed += data

    def report(self, entry: Mapping[str, object]) -> None:
        return None

    def ended(self, result: Ended) -> None:
        self.over.set()


def measure(folder: Path, bare: BareSandbox, count: int) -> list[Row]:
    code = folder / "code"
    code.mkdir(parents=True)
    (code / "main.py").write_text(NOTHING)
    sandbox = BubblewrapSandbox(folder / "sandbox")
    limits = RunLimits(wall_s=60, cpu_s=60, memory_bytes=64 << 20, disk_bytes=16 << 20, processes=4)
    order = Order("bench", code, limits=limits)
    try:
        sandbox.sweep(())
        return _cold(sandbox, order, bare, count) + _ready(sandbox, order, count)
    finally:
        sandbox.close()


def _cold(sandbox: BubblewrapSandbox, order: Order, bare: BareSandbox, count: int) -> list[Row]:
    first, whole, floor = [], [], []
    for number in range(count):
        until_first, until_over = _once(sandbox, replace(order, id=f"cold-{number}"))
        first.append(until_first)
        whole.append(until_over)
        floor.append(bare.once())
    limit = Limit("bare bwrap + python", Samples.of(floor))
    return [
        Row("sandbox alone: order → first line, from nothing", Samples.of(first), limit),
        Row("sandbox alone: order → ended, measured and told, from nothing", Samples.of(whole)),
    ]


def _ready(sandbox: BubblewrapSandbox, order: Order, count: int) -> list[Row]:
    """One waits for each order; the limit is a thread woken and a line of Python compiled and run."""
    first, held = [], []
    for number in range(count):
        order = replace(order, id=f"ready-{number}", warm_key="bench")
        sandbox.warm(shape(order), lambda why: None)
        while not any(one.ready and one.memory_bytes for one in sandbox.waiting()):
            time.sleep(0.01)
        held.append(sandbox.waiting()[0].memory_bytes / (1 << 20))
        first.append(_once(sandbox, order)[0])
    limit = Limit("a thread woken", Samples.of(hand_overs(count)))
    return [
        Row("sandbox alone: order → first line, kept ready", Samples.of(first), limit, target=2),
        Row("a sandbox kept ready, nothing imported: memory (PSS)", Samples.of(held, "MB")),
    ]


def _once(sandbox: BubblewrapSandbox, order: Order) -> tuple[float, float]:
    """Milliseconds from the order to its first line, and to its end."""
    sink = _Sink()
    begun = time.time_ns()
    handle = sandbox.start(order, sink)
    sink.over.wait()
    over = time.time_ns()
    sandbox.release(handle)
    return (int(sink.printed) - begun) / 1e6, (over - begun) / 1e6
