"""Which of the machine's processors this process uses. Why: docs/decisions/0058-one-processor-for-the-platform.md."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_DEVICES = Path("/sys/devices/system/cpu")
_CAN_CHOOSE = hasattr(os, "sched_setaffinity")  # Linux


def keep_to_one() -> None:
    """All threads of this process, and what they start, share one processor from here on; the main thread, which
    waits for signals, keeps what the process was started with. May be called again. Does nothing where a process cannot
    choose."""
    if not _CAN_CHOOSE:
        return
    with suppress(OSError):  # a machine that does not let it
        chosen = {choose(allowed(), os.getpid(), speed)}
        for thread in (int(entry.name) for entry in Path("/proc/self/task").iterdir()):
            if thread != os.getpid():
                with suppress(ProcessLookupError):  # ended meanwhile
                    os.sched_setaffinity(thread, chosen)


@contextmanager
def on_all() -> Iterator[None]:
    """What the calling thread starts in here may use all that this process was started with. Asks the machine for
    nothing where the thread was never bound."""
    if not _CAN_CHOOSE or (before := os.sched_getaffinity(0)) == allowed():
        yield
        return
    os.sched_setaffinity(0, allowed())
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def allowed() -> set[int]:
    return os.sched_getaffinity(os.getpid())


def choose(processors: set[int], process: int, speed_of: Callable[[int], int]) -> int:
    """One of the fastest (not all of a machine's need be alike), another one for the next process."""
    speeds = {number: speed_of(number) for number in sorted(processors)}
    fastest = [number for number, speed in speeds.items() if speed == max(speeds.values())]
    return fastest[process % len(fastest)]


def speed(processor: int, devices: Path = _DEVICES) -> int:
    """Its highest frequency in kHz as the kernel tells it (admin-guide/pm/cpufreq); 0 where it does not."""
    with suppress(OSError, ValueError):
        return int((devices / f"cpu{processor}" / "cpufreq" / "cpuinfo_max_freq").read_text())
    return 0
