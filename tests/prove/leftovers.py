"""Five hundred runs in a row through the whole application leave nothing of theirs on the machine.

`python -m tests.prove.leftovers --runs 500` goes on where an earlier call stopped; --again starts anew.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.agents import bring_in
from tests.bench.application import Client, Served
from tests.contract import census
from tests.prove.record import Record, asked

RECORD = Record("leftovers")
_A_ROUND = 100
_AGENTS = 3  # the third leaves a file, which is measured in a sandbox of its own
_SETTLE_S = 60.0
_BURST_S = 4.0


def prove(count: int) -> dict[str, Any]:
    """One round on a fresh data folder. `problem` is empty when nothing was left, and the wreck of a kill is
    cleaned by the next start."""
    with tempfile.TemporaryDirectory(prefix="ab-left-") as name:
        folder = Path(name) / "data"
        served = Served(folder)
        try:
            problem = _rounds(served, folder, count)
            served.process.kill()
            served.process.wait()
            served = Served(folder)
            launcher_gone = _wreck(served, folder)
            problem = problem or launcher_gone
        finally:
            served.stop()
        if not problem and census.mounts_below(folder):
            problem = f"{census.mounts_below(folder)} mounts after the end"
        if not problem and census.control_groups(folder / "sandbox"):
            problem = "control groups after the end"
    return {"runs": count, "problem": problem}


def _rounds(served: Served, folder: Path, count: int) -> str:
    client = served.client()
    agents = [bring_in(client, number, checked=number == _AGENTS - 1) for number in range(_AGENTS)]
    for number in range(4 * _AGENTS):  # until every pool and cache is as it will be
        _run(client, agents[number % _AGENTS], cancel=False)
    time.sleep(_BURST_S)
    before = census.steady(lambda: _look(served.process.pid, folder), _SETTLE_S)
    for number in range(count):
        _run(client, agents[number % _AGENTS], cancel=number % 10 == 9)
    return census.grown(lambda: _look(served.process.pid, folder), before, _SETTLE_S)


def _run(client: Client, agent_id: str, *, cancel: bool) -> None:
    run_id = client.call("POST", f"/api/v1/agents/{agent_id}/runs", {})["id"]
    if cancel:
        client.call("POST", f"/api/v1/runs/{run_id}/cancel", {})
    client.wait(f"/api/v1/runs/{run_id}", "settled_at", every_s=0.01)


def _launchers(pid: int) -> list[int]:
    found = []
    for child in census.descendants(pid):
        try:
            command = Path(f"/proc/{child}/cmdline").read_bytes()
        except OSError:
            continue
        if b"launcher.main" in command:
            found.append(child)
    return found


def _look(pid: int, folder: Path) -> dict[str, object]:
    launcher = _launchers(pid)[0]
    found = census.take(pid, launcher, folder / "sandbox")
    for part in ("attempts", "scratch"):
        found[part] = census.files_below(folder / part)
    descriptors = found["descriptors"]
    assert isinstance(descriptors, dict)
    # databases and connections of people come and go by themselves
    found["descriptors"] = {
        kind: n for kind, n in descriptors.items() if kind in ("pipe", "anon_inode:[eventfd]")
    }
    del found["threads"]  # a pool's grow to its size when first needed
    return found


def _wreck(served: Served, folder: Path) -> str:
    """Kill the launcher under what waits; the next run works and nothing of the old one is left."""
    client = served.client()
    agent_id = client.call("GET", "/api/v1/agents")["items"][0]["id"]
    for _ in range(3):
        _run(client, agent_id, cancel=False)
    for launcher in _launchers(served.process.pid):
        inside = census.descendants(launcher)
        os.kill(launcher, 9)
        for _ in range(100):
            if not any(Path(f"/proc/{pid}/exe").exists() for pid in inside):
                break
            time.sleep(0.05)
        else:
            return "sandboxes lived on without their launcher"
    _run(client, agent_id, cancel=False)
    time.sleep(_BURST_S)  # as long as it lasts more than one is kept ready
    boxes = [box.name for box in (folder / "sandbox" / "boxes").iterdir()]
    return f"boxes left: {boxes}" if len(boxes) > 1 else ""


def main(arguments: list[str]) -> int:
    runs = asked(arguments, __doc__, RECORD, 500, called="runs")
    found = RECORD.known()
    while (done := sum(one["runs"] for one in found)) < runs:
        one = prove(min(_A_ROUND, runs - done))
        found.append(one)
        RECORD.note(one)
        print(f"{done + one['runs']}/{runs}: {one['problem'] or 'nothing left'}", flush=True)
    return 1 if any(one["problem"] for one in found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
