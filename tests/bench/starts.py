"""From asking for a run to its first line: from nothing, with a sandbox kept ready, and with pandas in it."""

from __future__ import annotations

import sys
import time
from datetime import datetime
from pathlib import Path

from tests.bench import peers
from tests.bench.agents import bring_in
from tests.bench.application import Client, Served
from tests.bench.figures import Limit, Row, Samples
from tests.bench.limits import BareSandbox, BareServer

_REFILLED_S = 0.4  # a person does not ask again sooner, and a burst is another measure
_PANDAS = "import pandas, time\nprint(time.time_ns())\n"
_BURST_OVER_S = 3.0


def measure(folder: Path, bare: BareSandbox, count: int) -> list[Row]:
    rows: list[Row] = []
    server = BareServer()
    try:
        for place, warm_mb in (("cold", "0"), ("ready", "512")):
            served = Served(folder / place, settings={"AB_WARM_MB": warm_mb})
            try:
                rows += _first_lines(served, warm_mb != "0", bare, server, count)
            finally:
                served.stop()
    finally:
        server.close()
    return rows


def _first_lines(served: Served, warm: bool, bare: BareSandbox, server: BareServer, count: int) -> list[Row]:
    client = served.client()
    agent_id = bring_in(client, 0)
    own, recorded, floor = _lines(client, agent_id, count, bare, server)
    if not warm:
        limit = Limit("bare HTTP answer + bare bwrap + python", Samples.of(floor))
        what = "trigger → first line, from nothing (environment ready)"
        return [
            Row(what, own, limit, target=45, goal=25, peers=peers.FIRST_LINE),
            Row("the same, as recorded (`first_line_at`)", recorded, limit),
        ]
    answers = Limit("bare HTTP answer", Samples.of([server.once() for _ in range(count)]))
    rows = [
        Row("trigger → first line, sandbox kept ready", own, answers, target=10, goal=5),
        Row("the same, as recorded (`first_line_at`), kept ready", recorded, answers),
    ]
    return rows + _pandas(client, server, bare, count // 4)


def _pandas(client: Client, server: BareServer, bare: BareSandbox, count: int) -> list[Row]:
    """Nothing where pandas cannot be had: no index, no network."""
    try:
        agent_id = bring_in(client, 1, code=_PANDAS, packages=("pandas",), memory_mb=512)
    except RuntimeError as error:
        print(f"not measured, pandas could not be installed: {error}", file=sys.stderr)
        return []
    fresh, _recorded, _floor = _lines(client, agent_id, 2, bare, server, discard=0)
    time.sleep(_BURST_OVER_S)
    own, _recorded, _floor = _lines(client, agent_id, count, bare, server, pause_s=1.5)
    limit = Limit("the first two runs, which import it themselves", fresh)
    return [Row("trigger → first line after `import pandas`, kept ready", own, limit, target=35)]


def _lines(
    client: Client,
    agent_id: str,
    count: int,
    bare: BareSandbox,
    server: BareServer,
    *,
    discard: int = 5,
    pause_s: float = _REFILLED_S,
) -> tuple[Samples, Samples, list[float]]:
    """By the code's own clock, as recorded, and the limit, taken between the runs so that all meet the same
    neighbours."""
    own, recorded, floor = [], [], []
    for _ in range(discard + count):
        begun = time.time_ns()
        run_id = client.call("POST", f"/api/v1/agents/{agent_id}/runs", {})["id"]
        time.sleep(0.1)  # nobody asks while it starts
        run = client.wait(f"/api/v1/runs/{run_id}", "settled_at")
        lines = client.call("GET", f"/api/v1/runs/{run_id}/logs")["items"]
        own.append((int(lines[0]["data"]["text"]) - begun) / 1e6)
        recorded.append(datetime.fromisoformat(run["first_line_at"]).timestamp() * 1000 - begun / 1e6)
        floor.append(server.once() + bare.once())
        time.sleep(pause_s - 0.1)
    return Samples.of(own[discard:]), Samples.of(recorded[discard:]), floor[discard:]
