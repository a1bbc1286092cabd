"""The platform's threads on one processor, and what it starts on all of them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from shared import processors
from tests.repo.tree import ROOT

# As a program of its own: what it does to itself must not outlive the test.
_PROGRAM = """
import os, subprocess, sys, threading
from shared import processors

def told():
    return ",".join(map(str, sorted(os.sched_getaffinity(0))))

def child():
    code = "import os; print(','.join(map(str, sorted(os.sched_getaffinity(0)))))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()

go, said = threading.Event(), []

def early():
    go.wait()
    said.append(told())
    later = threading.Thread(target=lambda: said.append(told()))
    later.start()
    later.join()
    said.append(child())
    with processors.on_all():
        said.append(child())
    said.append(told())

thread = threading.Thread(target=early)
thread.start()
processors.keep_to_one()
go.set()
thread.join()
print(told(), *said)
"""

on_linux = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux lets a process choose")


@on_linux
def test_threads_share_one_processor_and_what_is_started_on_all_has_all() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True, cwd=ROOT
    )
    main, early, later, child, child_on_all, after = done.stdout.split()

    everything = ",".join(map(str, sorted(os.sched_getaffinity(os.getpid()))))
    assert main == child_on_all == everything
    assert early in everything.split(",")
    assert early == later == child == after


@on_linux
def test_the_calling_thread_has_its_own_back_when_what_it_started_failed() -> None:
    before: list[set[int]] = []

    def fail() -> None:
        one = {min(os.sched_getaffinity(0))}
        os.sched_setaffinity(0, one)
        with pytest.raises(OSError, match="gone"), processors.on_all():
            raise OSError("gone")
        before.extend([one, os.sched_getaffinity(0)])

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()

    assert before[0] == before[1]


def test_the_next_process_takes_another_of_the_fastest() -> None:
    speeds = {0: 2, 1: 5, 2: 5, 3: 1}

    chosen = [processors.choose(set(speeds), process, speeds.__getitem__) for process in range(4)]

    assert chosen == [1, 2, 1, 2]


def test_the_only_processor_is_chosen_when_there_is_one() -> None:
    assert processors.choose({7}, 12345, lambda _: 0) == 7


@pytest.mark.parametrize(("text", "speed"), [("3600000\n", 3_600_000), ("<unknown>\n", 0), (None, 0)])
def test_a_processor_whose_speed_nobody_tells_is_as_fast_as_the_others(
    tmp_path: Path, text: str | None, speed: int
) -> None:
    if text is not None:
        (tmp_path / "cpu3" / "cpufreq").mkdir(parents=True)
        (tmp_path / "cpu3" / "cpufreq" / "cpuinfo_max_freq").write_text(text)

    assert processors.speed(3, tmp_path) == speed
