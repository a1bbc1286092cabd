"""Where the time of one run goes, from what the facts of its life say about themselves; and what it costs the
platform in processor time, beside nothing but its commits and answers."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path

from tests.bench import load
from tests.bench.agents import bring_in
from tests.bench.application import Client, Served
from tests.bench.figures import Limit, Row, Samples
from tests.bench.limits import BareServer, commits_per_second, hand_overs
from tests.bench.processes import own_cpu_s
from tests.bench.runs import events

_CLIENTS = 8
_PAUSE_S = 0.4  # a waiting sandbox is replaced meanwhile
_COMMITS = 11  # of one run, in three services
_ANSWERS = 2  # one that takes the order, one that streams
_FACTS = ("requested", "funded", "started", "settled")


def measure(served: Served, data: Path, count: int, seconds: float) -> list[Row]:
    """data: the folder `served` runs on."""
    server, client = BareServer(), served.client()
    try:
        agents = [bring_in(client, number) for number in range(_CLIENTS)]
        rows = _splits(client, data, agents[0], count, server)
        rows.append(_cost(served, agents, seconds, server, commits_per_second(data.parent, seconds / 4)))
    finally:
        server.close()
    return rows


def _splits(client: Client, data: Path, agent_id: str, count: int, server: BareServer) -> list[Row]:
    parts: dict[str, list[float]] = {"door": [], "money": [], "start": [], "end": [], "screen": []}
    answers = []
    for _ in range(count):
        asked = time.time() * 1000
        run_id = client.call("POST", f"/api/v1/agents/{agent_id}/runs", {})["id"]
        own, seen = _watched(client, run_id)
        at = _said_at(data / "bus.db", run_id)
        parts["door"].append(at["requested"] - asked)
        parts["money"].append(at["funded"] - at["requested"])
        parts["start"].append(own - at["funded"])
        parts["end"].append(at["settled"] - own)
        parts["screen"].append(seen - at["settled"])
        answers.append(server.once())
        time.sleep(_PAUSE_S)
    hop = hand_overs(count)
    limits = {
        "door": Limit("bare HTTP answer", Samples.of(answers)),
        "money": Limit("a thread woken", Samples.of(hop)),
    }
    what = {
        "door": "of a run: request sent → its fact is out (HTTP, sign-in, one commit)",
        "money": "of a run: asked for → funded (one hop, one commit)",
        "start": "of a run: funded → first line by the code's own clock (claim, preparation, sandbox)",
        "end": "of a run: first line → settled (python's end, collecting, two commits)",
        "screen": "of a run: settled → on the client's stream",
    }
    return [Row(what[name], Samples.of(found), limits.get(name)) for name, found in parts.items()]


def _watched(client: Client, run_id: str) -> tuple[float, float]:
    """When its first line ran by its own clock, and when its end had arrived here; milliseconds since 1970."""
    own = 0.0
    for kind, data, at in events(client, f"/api/v1/runs/{run_id}/events"):
        if kind == "entry" and data["kind"] == "log":
            own = int(data["data"]["text"]) / 1e6
        if kind == "run" and data["settled_at"]:
            return own, at * 1000
    raise RuntimeError(f"the stream of {run_id} ended before the run")


def _said_at(log: Path, run_id: str) -> dict[str, float]:
    """The moment of each fact of a run, from the log of events; milliseconds since 1970."""
    with closing(sqlite3.connect(f"file:{log}?mode=ro", uri=True)) as file:
        rows = file.execute(
            "SELECT envelope FROM events WHERE topic='run' AND json_extract(envelope, '$.subject')=?",
            (run_id,),
        ).fetchall()
    facts = [json.loads(row[0]) for row in rows]
    times = {fact["type"].split(".")[-2]: fact["time"] for fact in facts}
    return {name: datetime.fromisoformat(times[name]).timestamp() * 1000 for name in _FACTS}


def _cost(served: Served, agents: list[str], seconds: float, server: BareServer, commits: float) -> Row:
    """Of the platform's own process: sandboxes and the launcher are processes of their own."""
    before, bare_before = own_cpu_s(served.process.pid), own_cpu_s(server.pid)
    done, _took = load.runs(served.port, agents, seconds)
    spent = (own_cpu_s(served.process.pid) - before) * 1000 / done
    for _ in range(200):
        server.once()
    answer = (own_cpu_s(server.pid) - bare_before) * 1000 / 200
    floor = _ANSWERS * answer + _COMMITS * 1000 / commits
    return Row(
        f"processor time of the platform's own process a no-op run, {len(agents)} clients ({done} runs)",
        Samples.of([spent]),
        Limit(f"{_ANSWERS} bare HTTP answers and {_COMMITS} bare commits", Samples.of([floor])),
        target=18,
    )
