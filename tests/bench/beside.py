"""Beside runs that take all the processor they can get: another run's own work, and the platform's answers."""

from __future__ import annotations

import os
import time

from tests.bench.agents import bring_in
from tests.bench.application import Client, Served
from tests.bench.figures import Limit, Row, Samples

_HOGS = 4
_LIVE = "import agent, os, time\nif agent.mode == 'rehearsal': raise SystemExit(0)\n"
# Each child in a session of its own: a kernel that shares by session is not taken for one that shares by run.
HOG = _LIVE + "for _ in range(2):\n    if not os.fork(): os.setsid(); break\nwhile True: pass\n"
WORK = (
    _LIVE
    + "begun = time.perf_counter()\nwhile time.process_time() < 0.25: sum(range(1000))\n"
    + "print(time.perf_counter() - begun)\n"
)


def measure(served: Served, count: int) -> list[Row]:
    """Its agents stay; no hog is left running."""
    client = served.client()
    worker = bring_in(client, 900, code=WORK)
    hogs = [bring_in(client, 901 + number, code=HOG) for number in range(_HOGS)]
    alone, answers = _works(client, worker, count), _answers(client, count * 10)
    running = [client.call("POST", f"/api/v1/agents/{hog}/runs", {})["id"] for hog in hogs]
    for run in running:
        client.wait(f"/api/v1/runs/{run}", "first_line_at")
    try:
        slowed, slow_answers = _works(client, worker, count), _answers(client, count * 10)
    finally:
        for run in running:
            client.call("POST", f"/api/v1/runs/{run}/cancel", {})
        for run in running:
            client.wait(f"/api/v1/runs/{run}", "finished_at")
    # Its fair share of the cores, were the platform not there at all.
    share = min(1.0, (os.cpu_count() or 1) / (_HOGS + 1))
    fair = Samples.of([seconds * 1000 / share for seconds in alone])
    return [
        Row(
            f"a quarter second of a run's work beside {_HOGS} runs that spin in three processes each",
            Samples.of([seconds * 1000 for seconds in slowed]),
            Limit(f"the same alone, over its fair share of the processor ({share:.0%} of a core)", fair),
        ),
        Row(
            f"GET /api/v1/agents beside the same {_HOGS} runs",
            Samples.of(slow_answers),
            Limit("the same with nothing running", Samples.of(answers)),
            target=50,
        ),
    ]


def _works(client: Client, worker: str, count: int) -> list[float]:
    """Seconds the work took, as the code itself saw it."""
    taken = []
    for _ in range(count):
        run = client.call("POST", f"/api/v1/agents/{worker}/runs", {})["id"]
        client.wait(f"/api/v1/runs/{run}", "settled_at")
        (line,) = client.call("GET", f"/api/v1/runs/{run}/logs")["items"]
        taken.append(float(line["data"]["text"]))
    return taken


def _answers(client: Client, count: int) -> list[float]:
    taken = []
    for _ in range(count):
        begun = time.perf_counter()
        client.call("GET", "/api/v1/agents")
        taken.append((time.perf_counter() - begun) * 1000)
    return taken
