"""Starting, resting, stopping; and how long a person waits for a proposal."""

from __future__ import annotations

import time
from pathlib import Path

from tests.bench import peers, processes
from tests.bench.application import Served
from tests.bench.figures import Limit, Row, Samples
from tests.bench.limits import bare_start
from tests.flows.shops import Shops


def rest(served: Served, seconds: float) -> list[Row]:
    """Called when nothing has been asked of it for a while."""
    pid = served.process.pid
    before = processes.cpu_s(pid)
    time.sleep(seconds)
    used = (processes.cpu_s(pid) - before) / seconds * 100
    memory = processes.memory_mb(pid)
    return [
        Row(
            f"idle memory, all processes ({processes.threads(pid)} threads)",
            Samples.of([memory], "MB PSS"),
            target=160,
            goal=105,
            peers=peers.MEMORY,
        ),
        Row(
            f"idle processor time over {seconds:.0f} s",
            Samples.of([used], "% of a core"),
            target=2,
            peers=peers.IDLE,
        ),
    ]


def starts_and_stops(folder: Path, count: int) -> list[Row]:
    """On data that exists and with bytecode compiled: the second and every later start."""
    starts, stops, floor = [], [], []
    for _ in range(count):
        served = Served(folder)
        starts.append(served.start_s)
        stops.append(served.stop())
        floor.append(bare_start())
    limit = Limit("python importing Flask, waitress, pydantic, sqlite3, ssl", Samples.of(floor, "s"))
    return [
        Row(
            "start → ready, second start",
            Samples.of(starts, "s"),
            limit,
            target=3,
            goal=1.2,
            peers=peers.START,
        ),
        Row("Ctrl-C → gone", Samples.of(stops, "s"), target=5),
    ]


def proposals(served: Served, shops: list[Shops], count: int) -> list[Row]:
    """Each shop on a host of its own: reads of one host wait for each other, out of politeness."""
    client = served.client()
    practice = client.call("GET", "/api/v1/templates")["items"][0]["text"]["ko"]
    places = ", ".join(shop.address(name) for shop, name in zip(shops, "abc", strict=True))
    local = f"매일 아침 9시에 웹사이트 3곳({places})의 신제품 정보를 긁어와서 받은함으로 알려 줘"
    rows = []
    for what, text in (
        ("the first example, practice shops", practice),
        ("three shops on this machine", local),
    ):
        taken = []
        for _ in range(count):
            begun = time.perf_counter()
            asked = {"text": text, "timezone": "Asia/Seoul", "language": "ko"}
            id = client.call("POST", "/api/v1/conversations", asked)["id"]
            found = client.wait(
                f"/api/v1/conversations/{id}", "state", "proposed", "failed", "asking", every_s=0.02
            )
            if found["state"] != "proposed":
                raise RuntimeError(f"no proposal for {what}: {found['state']} {found['problem']}")
            taken.append(time.perf_counter() - begun)
        rows.append(Row(f"sentence → proposal: {what}", Samples.of(taken, "s"), target=2))
    return rows
