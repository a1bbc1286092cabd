"""The sandbox alone: from the order until the first line of the code, and until its end was told."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from services.executor.adapters.bubblewrap import BubblewrapSandbox
from services.executor.ports import Ended, Order, RunLimits
from tests.bench.agents import NOTHING
from tests.bench.figures import Limit, Row, Samples
from tests.bench.limits import BareSandbox


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
    first, whole, floor = [], [], []
    limits = RunLimits(wall_s=60, cpu_s=60, memory_bytes=64 << 20, disk_bytes=16 << 20, processes=4)
    try:
        sandbox.sweep(())
        for number in range(count):
            sink = _Sink()
            begun = time.time_ns()
            handle = sandbox.start(Order(f"bench-{number}", code, limits=limits), sink)
            sink.over.wait()
            whole.append((time.time_ns() - begun) / 1e6)
            first.append((int(sink.printed) - begun) / 1e6)
            sandbox.release(handle)
            floor.append(bare.once())
    finally:
        sandbox.close()
    limit = Limit("bare bwrap + python", Samples.of(floor))
    return [
        Row("sandbox alone: order → first line", Samples.of(first), limit),
        Row("sandbox alone: order → ended, measured and told", Samples.of(whole)),
    ]
