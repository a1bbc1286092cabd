"""A sandbox without a run has bounds of its own; at binding clocks and counters begin anew."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from services.executor.launcher.protocol import Spec
from services.executor.launcher.sandboxes import WAITING_CPU_S, Running

MB = 1 << 20
_SPEC = Spec("warm-1", (), False, 5.0, 3.0, 400 * MB, MB, 100, 8, 64, waits=True)


@dataclass
class Counters:
    """A control group whose counters the test moves."""

    used_ms: int = 0
    peak: int = 0
    bounds: list[tuple[int, int]] = field(default_factory=list)
    oom: bool = False

    def join(self, pid: int) -> None: ...

    def bound(self, memory_bytes: int, processes: int) -> None:
        self.bounds.append((memory_bytes, processes))

    def pids(self) -> list[int]:
        return []

    def cpu_ms(self) -> int:
        return self.used_ms

    def memory_peak(self) -> int:
        return self.peak

    def forget_peak(self) -> None:
        self.peak = 0

    def out_of_memory(self) -> bool:
        return self.oom

    def refused_forks(self) -> bool:
        return False

    def remove(self) -> bool:
        return True


@pytest.fixture
def waiting() -> Iterator[tuple[Running, Counters]]:
    """Of no process: killing it reaches nobody."""
    group = Counters()
    reader, writer = os.pipe()
    os.close(writer)
    running = Running(_SPEC, 0, 1 << 30, -1, reader, group, "/nowhere", 100.0, waits=True)
    yield running, group
    os.close(reader)


def test_the_clocks_of_a_run_do_not_run_while_a_sandbox_waits(waiting: tuple[Running, Counters]) -> None:
    running, group = waiting
    group.used_ms = 4_000  # more than the run may use

    running.check(100.0 + 3600)

    assert running.reason == ""


def test_importing_without_end_is_ended_when_nobody_waits_for_it(waiting: tuple[Running, Counters]) -> None:
    running, group = waiting
    group.used_ms = int(WAITING_CPU_S * 1000)

    running.check(101.0)

    assert running.reason == "cpu"


def test_everything_begins_anew_when_a_run_is_bound(waiting: tuple[Running, Counters]) -> None:
    running, group = waiting
    group.used_ms, group.peak = 4_000, 200 * MB

    running.bind(200.0)
    running.check(204.0)
    assert (running.reason, group.bounds) == ("", [(400 * MB, 10)])
    group.used_ms, group.peak = 4_700, 50 * MB
    verdict = running.verdict(204.5)

    assert (verdict.wall_ms, verdict.cpu_ms, verdict.memory_peak_bytes) == (4_500, 700, 50 * MB)


def test_a_bound_run_ends_by_its_own_limits(waiting: tuple[Running, Counters]) -> None:
    running, group = waiting
    group.used_ms = 4_000
    running.bind(200.0)

    group.used_ms = 7_000
    running.check(201.0)

    assert running.reason == "cpu"


def test_the_wall_clock_of_a_run_begins_at_its_binding(waiting: tuple[Running, Counters]) -> None:
    running, _group = waiting
    running.bind(200.0)

    running.check(204.9)
    assert running.reason == ""
    running.check(205.0)
    assert running.reason == "wall"


def test_a_run_ends_when_the_kernel_has_ended_one_of_its_processes_for_want_of_memory(
    waiting: tuple[Running, Counters],
) -> None:
    running, group = waiting
    running.bind(200.0)
    group.oom = True

    running.check(200.1)

    assert running.reason == "memory"
