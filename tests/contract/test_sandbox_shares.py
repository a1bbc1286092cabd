"""One run beside another that takes all it can get: each has its share of the processor, whatever the other does."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.executor import limits
from services.executor.adapters.bubblewrap import BubblewrapSandbox
from services.executor.ports import Ended, RunLimits
from shared import processors
from tests.contract.sandbox_runs import Bench
from tests.needs import unavailable

# Processor time, not seconds: how long it takes is the machine's business.
WORK = """
import os, time
children = []
for _ in range(2):
    child = os.fork()
    if not child:
        while time.process_time() < 0.4:
            sum(range(1000))
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
"""
HOGS = {
    "spins in many processes": """
import os
for _ in range(24):
    if not os.fork():
        os.setsid()  # a kernel that shares by session must not be taken in
        break
print("at it", flush=True)
while True:
    pass
""",
    "prints without end": """
import os
for _ in range(8):
    if not os.fork():
        os.setsid()  # a kernel that shares by session must not be taken in
        break
print("at it", flush=True)
while True:
    os.write(3, b"x" * 4096)
    sum(range(2000))
""",
    "fills its disk and empties it": """
import os
for n in range(12):
    if not os.fork():
        os.setsid()  # a kernel that shares by session must not be taken in
        break
print("at it", flush=True)
while True:
    with open(f"file{os.getpid()}", "wb") as file:
        for _ in range(64):
            file.write(bytes(65536))
""",
    "makes files and removes them": """
import os
for n in range(12):
    if not os.fork():
        os.setsid()  # a kernel that shares by session must not be taken in
        break
print("at it", flush=True)
while True:
    for n in range(100):
        open(f"{os.getpid()}-{n}", "w").close()
    for n in range(100):
        os.remove(f"{os.getpid()}-{n}")
""",
}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("shares")
    sandbox = BubblewrapSandbox(folder / "sandbox")
    found = sandbox.enforcement()
    if "all" in found.missing:
        unavailable("a sandbox", found.missing["all"])
    if "cpu" in found.missing:
        unavailable("a control group", limits.told(found.missing["cpu"], "en"))
    yield Bench(sandbox, folder)
    sandbox.close()


@pytest.mark.parametrize("hog", sorted(HOGS))
def test_a_run_gets_its_share_of_the_processor_while_another(hog: str, bench: Bench) -> None:
    limits = RunLimits(wall_s=60, cpu_s=60, output_bytes=1 << 30)
    greedy = bench.order(HOGS[hog], limits=limits)
    beside = bench.start(greedy)
    assert beside.printed.wait(60)

    _sink, worked = bench.run(WORK)
    bench.sandbox.stop(greedy.id)
    taken = beside.wait()

    assert (worked.reason, worked.exit_code) == ("exited", 0), worked
    assert worked.usage.cpu_ms >= 700
    # Shared evenly it is about as much, and what a core that stands idle gives, before and beside the work, comes
    # on top (2.7 times were seen on a busy machine); shared by processes it would be up to twelve times as much.
    assert taken.usage.cpu_ms <= 4 * worked.usage.cpu_ms, (taken.usage, worked.usage)
    assert isinstance(taken, Ended)


def test_a_run_may_use_every_processor_when_the_platform_keeps_to_one(tmp_path: Path) -> None:
    seen: list[str] = []

    def run() -> None:
        os.sched_setaffinity(0, {min(processors.allowed())})
        sandbox = BubblewrapSandbox(tmp_path)
        try:
            if "all" in (missing := sandbox.enforcement().missing):
                seen.append(missing["all"])
                return
            sink, _ended = Bench(sandbox, tmp_path).run("import os\nprint(sorted(os.sched_getaffinity(0)))")
            seen.append(sink.text.strip())
        finally:
            sandbox.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()

    if not seen[0].startswith("["):
        unavailable("the bubblewrap sandbox", seen[0])
    assert seen == [str(sorted(processors.allowed()))]
