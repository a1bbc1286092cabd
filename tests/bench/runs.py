"""From asking for a run to its result, and many at a time; tests/bench/starts.py has the first line."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from tests.bench import load, peers
from tests.bench.agents import bring_in
from tests.bench.application import Client, Served
from tests.bench.figures import Limit, Row, Samples
from tests.bench.limits import BareSandbox, loopback


def results(client: Client, agent_id: str, count: int, what: str) -> list[Row]:
    """A stream of the run, opened once it was asked for, as a page does."""
    visible, entries = [], []
    for _ in range(count):
        begun = time.time()
        run_id = client.call("POST", f"/api/v1/agents/{agent_id}/runs", {})["id"]
        for kind, data, at in events(client, f"/api/v1/runs/{run_id}/events"):
            if kind == "entry" and data["kind"] == "log":
                entries.append(at * 1000 - _ms(data["at"]))
            if kind == "run" and data["settled_at"]:
                visible.append((at - begun) * 1000)
                break
    rows = [Row(f"trigger → result on the run's stream, {what}", Samples.of(visible), peers=peers.VISIBLE)]
    limit = Limit("a few bytes over loopback", Samples.of(loopback(count)))
    rows.append(
        Row("live stream: log entry made → client has it (one commit between)", Samples.of(entries), limit)
    )
    return rows


def throughput(served: Served, agents: list[str], seconds: float, bare: BareSandbox) -> Row:
    """A client per agent; each asks for the next run once the last one's result has arrived."""
    before = bare.per_second(40, 4)
    done, took = load.runs(served.port, agents, seconds)
    limit = Limit("bare bwrap + python, 4 at a time", Samples.of([before, bare.per_second(40, 4)], "per s"))
    return Row(
        f"no-op runs per second, {len(agents)} clients, result seen by each ({done} runs)",
        Samples.of([done / took], "per s"),
        limit,
        target=20,
        goal=45,
        better="higher",
        peers=peers.THROUGHPUT,
    )


def measure(served: Served, bare: BareSandbox, count: int, seconds: float) -> list[Row]:
    client = served.client()
    agents = [bring_in(client, number) for number in range(8)]
    checked = bring_in(client, 8, checked=True)
    rows = results(client, agents[0], count, "nothing to check")
    rows += results(client, checked, count // 2, "one file measured in a second sandbox")[:1]
    rows.append(throughput(served, agents, seconds, bare))
    return rows


def events(client: Client, path: str) -> Iterator[tuple[str, Any, float]]:
    """(event, data, time of arrival) until the caller has seen enough."""
    with client.stream(path) as stream:
        kind = ""
        while line := stream.readline():
            at = time.time()
            if line.startswith(b"event: "):
                kind = line[7:].decode().strip()
            elif line.startswith(b"data: "):
                yield kind, json.loads(line[6:]), at


def _ms(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() * 1000
