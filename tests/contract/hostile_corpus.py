"""Runs the hostile corpus: code that tries to get out; what it printed and how it ended is its verdict."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from services.executor.ports import RunLimits
from tests.contract.sandbox_runs import Bench

_CASES = ("hostile.json", "hostile_more.json")
_CANARY = Path("/var/tmp/canary")  # noqa: S108 - the cases name this path
# Short enough for a test, long enough for the slowest case that should end by itself.
_LIMITS = RunLimits(wall_s=4, cpu_s=2, memory_bytes=256 << 20, disk_bytes=64 << 20, output_bytes=1 << 20)
_AT_ONCE = 4


@dataclass(frozen=True)
class Found:
    id: str
    verdict: str
    expected: frozenset[str]
    shown: str

    @property
    def held(self) -> bool:
        return self.verdict in self.expected


@contextmanager
def canaries() -> Iterator[None]:
    """A file and a socket on the host that every user may reach; the cases look for them."""
    _CANARY.mkdir(exist_ok=True)
    file, path = _CANARY / "host.txt", _CANARY / "host.sock"
    with suppress(PermissionError):  # another user's test run made it: just as good
        file.write_text("canary")
        path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        with suppress(OSError):
            listener.bind(str(path))
            path.chmod(0o777)
            listener.listen()
        yield


def run(bench: Bench) -> list[Found]:
    cases = [case for name in _CASES for case in json.loads(Path(__file__).with_name(name).read_text())]
    with canaries(), ThreadPoolExecutor(_AT_ONCE) as pool:
        orders = [(case, bench.order(case["code"], id=case["id"], limits=_LIMITS)) for case in cases]
        return list(pool.map(lambda pair: _judge(bench, *pair), orders))


def _judge(bench: Bench, case: dict[str, str], order: object) -> Found:
    sink = bench.start(order)  # type: ignore[arg-type]
    result = sink.wait()
    bench.sandbox.release(case["id"])
    text = sink.text
    if "ESCAPED" in text:
        verdict = "ESCAPED"
    elif "BLOCKED" in text:
        verdict = "BLOCKED"
    elif result.reason == "output":
        verdict = "LIMITED"
    elif result.reason != "exited" or result.exit_code:
        verdict = "KILLED"
    else:
        verdict = "ENDED"
    expected = set(case["expect"].split("|"))
    if "HARMLESS" in expected:  # what it leaves is judged by whoever reads it; here it must only not get out
        expected |= {"BLOCKED", "KILLED", "ENDED", "LIMITED"}
    if case["id"] == "proc-hold-stdout":  # the run ends with its main process; the holder is killed then
        expected |= {"ENDED"}
    return Found(
        case["id"], verdict, frozenset(expected), f"{result.reason} {text[:200]} {sink.stderr[-200:]!r}"
    )
