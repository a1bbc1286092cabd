"""Thirty writing agents, each rehearsed and then switched on: the sink saw nothing, then exactly what was shown.

`python -m tests.prove.rehearsals` goes on where an earlier call stopped; --again starts anew. Needs the package
index once, for the agents that write with requests and httpx.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.fakes.upstream import Upstream
from tests.flows.house import House
from tests.flows.rehearsing import shown_then_made, writing_agent
from tests.prove.record import Record, asked

RECORD = Record("rehearsals")
AGENTS = 30


def prove(house: House, sink: Upstream, seed: int) -> dict[str, Any]:
    """`problem` is empty when every promise held."""
    agent = writing_agent(seed)
    problem = ""
    found: dict[str, Any] = {"shown": []}
    try:
        found = shown_then_made(house.person(patience_s=120), sink, agent)
        assert found["early"] == 0, f"{found['early']} requests before anybody said yes"
        assert found["received"] == found["wanted"], "another request than the code made"
        assert found["seen"] == found["shown"], "another request than was shown"
    except AssertionError as error:
        problem = str(error)[:2000] or "an assertion without words"
    writes = len(found["shown"])
    return {"seed": seed, "library": agent.library, "writes": writes, "problem": problem}


def main(arguments: list[str]) -> int:
    asked(arguments, __doc__, RECORD)
    found = RECORD.known()
    done = {one["seed"] for one in found}
    with tempfile.TemporaryDirectory(prefix="ab-rehearsals-") as folder, Upstream() as sink:
        house = House(Path(folder) / "data", open_ports=(sink.port,)).open()
        try:
            for seed in (seed for seed in range(AGENTS) if seed not in done):
                one = prove(house, sink, seed)
                found.append(one)
                RECORD.note(one)
                print(f"{seed + 1}/{AGENTS} {one['library']}: {one['problem'] or 'held'}", flush=True)
        finally:
            house.close()
    held = [one for one in found if not one["problem"]]
    print(f"{len(held)} of {len(found)} agents held, {sum(one['writes'] for one in held)} writes")
    return 0 if len(held) == len(found) == AGENTS else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
