"""What only a real sandbox does: bounds that name themselves, walls, surviving its launcher's death."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.executor.adapters.bubblewrap import BubblewrapSandbox
from services.executor.ports import RunLimits
from shared.errors import Misconfigured
from tests.contract.backends import ISOLATING, opened
from tests.contract.sandbox_runs import Bench

_FOREVER = "import time\nprint('going', flush=True)\ntime.sleep(600)"
_REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=ISOLATING)
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("isolation")
    sandbox = opened(request.param, folder / "sandbox", request)
    yield Bench(sandbox, folder)
    sandbox.close()


_SMALL = RunLimits(
    wall_s=30, cpu_s=1, memory_bytes=96 << 20, disk_bytes=8 << 20, inodes=200, processes=12, open_files=64
)


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("cpu", "while True: pass"),
        ("cpu", "import os\nfor _ in range(3): os.fork()\nwhile True: pass"),
        ("memory", "x = [bytearray(b'x') * (8 << 20) for _ in range(64)]"),
        (
            "memory",
            "import os, time\nfor _ in range(3): os.fork()\nx = bytearray(b'x') * (40 << 20)\ntime.sleep(20)",
        ),
        ("processes", "import os, time\nwhile os.fork(): pass\ntime.sleep(20)"),
        (
            "processes",
            "import threading as t, time\nwhile 1: t.Thread(target=time.sleep, args=(9,), daemon=1).start()",
        ),
        ("disk", "open('big', 'wb').write(bytes(9 << 20))"),
        ("disk", "open('/tmp/big', 'wb').write(bytes(9 << 20))"),
        ("inodes", "for n in range(300): open(f'f{n}', 'w').close()"),
        ("files", "held = [open('/dev/null') for _ in range(100)]"),
        ("output", "while True: print('x' * 4000)"),
    ],
)
def test_an_attempt_ends_with_the_bounds_own_name_when_it_meets_it(
    bench: Bench, reason: str, code: str
) -> None:
    sink, result = bench.run(code, limits=_SMALL)

    assert (result.reason, result.exit_code) == (reason, None), sink.stderr


@pytest.mark.parametrize(
    ("reason", "attack"),
    [
        ("processes", "while os.fork(): pass\n    time.sleep(20)"),
        ("disk", "open('big', 'wb').write(bytes(9 << 20))"),
        ("inodes", "for n in range(300): open(f'f{n}', 'w').close()"),
    ],
)
def test_a_bound_is_named_from_outside_when_the_code_says_nothing(
    bench: Bench, reason: str, attack: str
) -> None:
    if reason == "processes" and "memory" in bench.sandbox.enforcement().missing:
        pytest.skip("refused forks are counted by control groups, which this user cannot write")

    _sink, result = bench.run(
        f"import os, time\ntry:\n    {attack}\nexcept OSError: os._exit(1)", limits=_SMALL
    )

    if reason == "processes" and bench.sandbox.enforcement().backend == "gvisor":
        # its own kernel refuses the fork, and keeps no count of that which we could read
        assert (result.reason, result.exit_code) == ("exited", 1)
        return
    assert (result.reason, result.exit_code) == (reason, None)


def test_a_bound_is_not_named_when_the_code_dealt_with_it(bench: Bench) -> None:
    _sink, result = bench.run(
        "import os\ntry: open('big', 'wb').write(bytes(9 << 20))\nexcept OSError: os.remove('big')",
        limits=_SMALL,
    )

    assert (result.reason, result.exit_code) == ("exited", 0)


def test_folders_are_read_only_at_their_places_when_mounted(bench: Bench) -> None:
    folder = bench.folder / "given"
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    code = (
        "print(open('/in/given/a.txt').read())\n"
        "for place in ('/in/given/b', '/app/b', '/b', '/runner/b'):\n"
        "    try: open(place, 'w')\n"
        "    except OSError as error: print(error.errno)"
    )

    sink, _result = bench.run(code, mounts={"/in/given": folder})

    content, *refusals = sink.text.split()
    assert (content, len(refusals)) == ("a", 4)
    assert set(refusals) <= {"30", "13"}  # read-only, or (what gVisor looks at first) not this user's


def test_what_a_run_left_is_readable_when_another_sandbox_checks_it(bench: Bench) -> None:
    _sink, left = bench.run("import os\nos.umask(0o077)\nopen('outputs/a', 'w').write('mine alone')")
    assert left.box is not None

    sink, _result = bench.run("print(open('/outputs/a').read())", mounts={"/outputs": left.box / "outputs"})

    assert sink.text == "mine alone\n", sink.stderr


def test_the_cure_is_told_when_a_folder_is_closed_to_sandboxes(bench: Bench) -> None:
    if os.geteuid() != 0:
        pytest.skip("an ordinary user's sandboxes run as that user")
    order = bench.order("print(1)")
    order.code_dir.chmod(0o700)

    with pytest.raises(Misconfigured, match=r"chmod -R o\+rX"):
        bench.start(order)


def test_code_runs_when_its_folder_lies_in_a_home_that_is_closed(bench: Bench) -> None:
    closed = bench.folder / "closed"
    (closed / "code").mkdir(parents=True)
    (closed / "code" / "main.py").write_text("print('in')")
    closed.chmod(0o700)

    sink, _result = bench.run("", code_dir=closed / "code")

    assert sink.text == "in\n"


def test_common_ways_of_working_are_allowed_when_code_uses_them(bench: Bench) -> None:
    code = (
        "import asyncio, multiprocessing, sqlite3, subprocess, sys, threading, tempfile, zoneinfo, getpass\n"
        "def double(n): return n * 2\n"
        "async def child():\n"
        "    p = await asyncio.create_subprocess_exec(sys.executable, '-c', 'print(1)', stdout=-1)\n"
        "    return (await p.communicate())[0]\n"
        "if __name__ == '__main__':\n"
        "    t = threading.Thread(target=print, args=('thread',)); t.start(); t.join()\n"
        "    print(asyncio.run(child()), subprocess.check_output(['/bin/echo', 'sh']))\n"
        "    with multiprocessing.get_context('spawn').Pool(2) as pool: print(pool.map(double, [1, 2]))\n"
        "    db = sqlite3.connect('state/x.db'); db.execute('create table t (n)'); db.commit()\n"
        "    print(getpass.getuser(), zoneinfo.ZoneInfo('Asia/Seoul'), bool(tempfile.mkdtemp()))\n"
    )

    if bench.sandbox.enforcement().backend == "gvisor":
        # leaving a pool by `with` waits for a lock that a worker holds there; closing it first does not
        code = code.replace(
            "print(pool.map(double, [1, 2]))", "print(pool.map(double, [1, 2])); pool.close(); pool.join()"
        )

    sink, result = bench.run(code)

    assert result.exit_code == 0, sink.stderr
    assert sink.text == "thread\nb'1\\n' b'sh\\n'\n[2, 4]\nagent Asia/Seoul True\n"


def test_two_sandboxes_cannot_see_each_other_when_they_run_at_once(bench: Bench) -> None:
    first = bench.start(bench.order(_FOREVER))
    assert first.printed.wait(30)

    sink, _result = bench.run(
        "import os\nseen = {int(p) for p in os.listdir('/proc') if p.isdigit()}\nprint(seen - {1, os.getpid()})"
    )

    assert sink.text == "set()\n"
    bench.sandbox.sweep(())
    assert first.wait().reason == "stopped"


def _launcher_of(sandbox: BubblewrapSandbox) -> int:
    assert sandbox.launcher_pid is not None
    return sandbox.launcher_pid


def _kill_launcher(sandbox: BubblewrapSandbox) -> int:
    """Its former process id, once it is dead."""
    pid = _launcher_of(sandbox)
    descriptor = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    assert select.select([descriptor], [], [], 30)[0]
    os.close(descriptor)
    return pid


def test_attempts_are_lost_and_the_next_start_works_when_the_launcher_is_killed(tmp_path: Path) -> None:
    sandbox = BubblewrapSandbox(tmp_path / "sandbox")
    bench = Bench(sandbox, tmp_path)
    sink = bench.start(bench.order(_FOREVER))
    assert sink.printed.wait(30)

    before = _kill_launcher(sandbox)
    lost = sink.wait()
    after, result = bench.run("print('again')")

    assert (lost.reason, lost.exit_code, lost.box) == ("lost", None, None)
    assert (after.text, result.exit_code) == ("again\n", 0)
    assert _launcher_of(sandbox) != before
    sandbox.sweep(())
    bench.run("")
    assert not [path for path in (tmp_path / "sandbox" / "boxes").iterdir() if path.name == "att_1"]
    sandbox.close()


def test_results_stay_readable_when_the_launcher_dies_after_an_attempt_ended(tmp_path: Path) -> None:
    sandbox = BubblewrapSandbox(tmp_path / "sandbox")
    bench = Bench(sandbox, tmp_path)
    _sink, result = bench.run("open('outputs/a', 'w').write('kept')")

    _kill_launcher(sandbox)
    bench.run("")

    assert result.box is not None
    assert (result.box / "outputs" / "a").read_text() == "kept"
    sandbox.close()
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()


def test_nothing_is_left_when_the_sandbox_is_closed(tmp_path: Path) -> None:
    sandbox = BubblewrapSandbox(tmp_path / "sandbox")
    bench = Bench(sandbox, tmp_path)
    sink = bench.start(bench.order(_FOREVER))
    assert sink.printed.wait(30)

    sandbox.close()
    sandbox.close()

    assert sink.wait().reason in ("stopped", "lost")
    assert not list((tmp_path / "sandbox").glob("boxes/*"))
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()


_EXECUTOR = """
import sys, time, pathlib
from services.executor.adapters.bubblewrap import BubblewrapSandbox
from tests.contract.backends import ISOLATING, opened
from tests.contract.sandbox_runs import Bench
folder = pathlib.Path(sys.argv[1])
bench = Bench(BubblewrapSandbox(folder / "sandbox"), folder)
sink = bench.start(bench.order("import time\\nprint('going', flush=True)\\ntime.sleep(600)"))
assert sink.printed.wait(30)
print(bench.sandbox.launcher_pid, flush=True)
time.sleep(600)
"""


def test_everything_dies_and_is_cleaned_when_the_executor_is_killed(tmp_path: Path) -> None:
    executor = subprocess.Popen(
        [sys.executable, "-c", _EXECUTOR, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=_REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(_REPOSITORY)},
    )
    assert executor.stdout is not None
    launcher = os.pidfd_open(int(executor.stdout.readline()))

    executor.kill()
    executor.communicate()
    # the launcher is not our child: its descriptor becomes readable when it is gone
    assert select.select([launcher], [], [], 30)[0]
    os.close(launcher)

    assert list((tmp_path / "sandbox").glob("boxes/*")) == []
