"""Nothing is left behind: a sample of what `python -m tests.prove.leftovers` does five hundred times."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from services.executor.adapters.bubblewrap import BubblewrapSandbox
from services.executor.egress.gateway import EgressGateway
from services.executor.egress.model import EgressRun
from services.executor.ports import Order, RunLimits, shape
from tests.contract import census
from tests.contract.sandbox_runs import Bench
from tests.needs import unavailable

_REPOSITORY = Path(__file__).parents[2]
_RUNS = 30
_PATIENCE_S = 60
_CODES = (
    "print('well')",
    "raise SystemExit(3)",
    "open('outputs/a', 'w').write('a' * 100_000)\nopen('state/b', 'w').write('b')",
    "import os, time\nfor _ in range(3):\n    if os.fork() == 0: time.sleep(600)",
    "import urllib.request\nurllib.request.urlopen('http://nowhere.example.com')",
    "while True: pass",
)
_LIMITS = RunLimits(wall_s=0.3, memory_bytes=64 << 20, disk_bytes=8 << 20, processes=8)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    sandbox = BubblewrapSandbox(tmp_path / "sandbox", slots=4)
    missing = sandbox.enforcement().missing
    if "all" in missing:
        unavailable("a sandbox", missing["all"])
    yield Bench(sandbox, tmp_path)
    sandbox.close()


class _Rounds:
    """One run after the other, of every kind; each third takes a sandbox that waited."""

    def __init__(self, bench: Bench, gateway: EgressGateway) -> None:
        self._bench = bench
        self._gateway = gateway

    def go(self, number: int) -> None:
        bench, gateway = self._bench, self._gateway
        assert isinstance(bench.sandbox, BubblewrapSandbox)
        order = bench.order(_CODES[number % len(_CODES)], limits=_LIMITS, warm_key="key")
        run = EgressRun(order.id, (), lambda exchange: None)
        order = replace(order, egress=lambda listener: gateway.open(run, listener))
        if number % 3 == 0:
            self._wait_for_one(bench.sandbox, order)
        sink = bench.start(order)
        if number % 7 == 0:
            bench.sandbox.stop(order.id)
        sink.wait()
        gateway.close(order.id)
        bench.sandbox.release(order.id)

    def _wait_for_one(self, sandbox: BubblewrapSandbox, order: Order) -> None:
        def watch(listener: object) -> str:
            gateway.guard(listener, lambda exchange: None)  # type: ignore[arg-type]
            return ""

        gateway = self._gateway
        sandbox.warm(replace(shape(order), egress=watch), lambda why: None)
        census.settled(
            lambda: {"ready": any(w.ready for w in sandbox.waiting())}, {"ready": True}, _PATIENCE_S
        )


def test_nothing_is_left_when_runs_of_every_kind_have_ended(bench: Bench, tmp_path: Path) -> None:
    assert isinstance(bench.sandbox, BubblewrapSandbox)
    launcher = bench.sandbox.launcher_pid
    assert launcher is not None
    gateway = EgressGateway()
    rounds = _Rounds(bench, gateway)

    def look() -> dict[str, object]:
        return census.take(os.getpid(), launcher, tmp_path / "sandbox")

    for number in range(len(_CODES)):
        rounds.go(number)
    before = census.steady(look, 20)
    for number in range(_RUNS):
        rounds.go(number)

    assert census.grown(look, before, 20) == ""
    gateway.stop()


def test_what_grew_is_noticed_and_what_shrank_is_not() -> None:
    before: dict[str, object] = {"threads": 3, "descriptors": {"socket": 2}}
    fewer: dict[str, object] = {"threads": 1, "descriptors": {}}
    grown: list[dict[str, object]] = [
        before | {"threads": 4},
        before | {"descriptors": {"socket": 3}},
        before | {"descriptors": {"socket": 1, "pipe": 1}},
    ]

    assert census.grown(lambda: before, before, 0.2) == ""
    assert census.grown(lambda: fewer, before, 0.2) == ""
    assert all(census.grown(partial(dict, more), before, 0.2) for more in grown)


def test_every_place_is_free_again_when_runs_have_ended(bench: Bench) -> None:
    for _ in range(3):
        orders = [bench.order("print(1)") for _ in range(4)]  # as many as there are places
        sinks = [bench.start(order) for order in orders]

        assert [sink.wait().reason for sink in sinks] == ["exited"] * 4
        for order in orders:
            bench.sandbox.release(order.id)


_EXECUTOR = """
import pathlib, signal, sys
from services.executor.adapters.bubblewrap import BubblewrapSandbox
from tests.contract.sandbox_runs import Bench
folder = pathlib.Path(sys.argv[1])
bench = Bench(BubblewrapSandbox(folder / "lost"), folder)
bench.run("print(1)")
print(bench.sandbox.launcher_pid, flush=True)
signal.pause()
"""


def _kill_executor_and_launcher(folder: Path) -> None:
    """The executor is stopped first: it would start another launcher."""
    executor = subprocess.Popen(
        [sys.executable, "-c", _EXECUTOR, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=_REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(_REPOSITORY)},
    )
    assert executor.stdout is not None
    launcher = int(executor.stdout.readline())
    executor.send_signal(signal.SIGSTOP)
    descriptor = os.pidfd_open(launcher)
    os.kill(launcher, signal.SIGKILL)
    assert select.select([descriptor], [], [], _PATIENCE_S)[0]
    os.close(descriptor)
    executor.kill()
    executor.communicate()


def test_boxes_of_a_deleted_folder_are_unmounted_when_any_launcher_starts(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("an ordinary user's boxes live in mount namespaces of their own")
    _kill_executor_and_launcher(tmp_path)
    shutil.rmtree(tmp_path / "lost", ignore_errors=True)  # mount points refuse
    assert census.mounts_below(tmp_path / "lost") > 0

    other = BubblewrapSandbox(tmp_path / "other")
    other.sweep(())
    kept = census.mounts_below(tmp_path / "other")
    other.close()

    assert census.mounts_below(tmp_path / "lost") == 0
    assert not (tmp_path / "lost").exists()
    assert kept > 0  # its own


def _of_users(first: int, count: int) -> list[str]:
    """What runs as one of these users, in words."""
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            if folder.name.isdigit() and first <= folder.stat().st_uid < first + count:
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:80])
    return found


@pytest.mark.parametrize("after_ms", [0, 2, 4, 6, 8, 11, 15, 25])
def test_nothing_runs_on_when_the_launcher_is_killed_while_a_sandbox_is_made(
    tmp_path: Path, after_ms: int
) -> None:
    if os.geteuid() != 0:
        pytest.skip("an ordinary user's sandboxes run as that user, as do the tests")
    first, slots = 47_000 + 10 * after_ms, 4
    sandbox = BubblewrapSandbox(tmp_path / "sandbox", first_uid=first, slots=slots)
    bench = Bench(sandbox, tmp_path)
    bench.run("print(1)")
    assert sandbox.launcher_pid is not None
    sink = bench.start(bench.order("import time\ntime.sleep(600)"))

    threading.Event().wait(after_ms / 1000)  # anywhere in the making is right
    os.kill(sandbox.launcher_pid, signal.SIGKILL)

    assert sink.wait().reason == "lost"
    assert census.settled(lambda: {"left": _of_users(first, slots)}, {"left": []}, _PATIENCE_S) == ""
    sandbox.close()
