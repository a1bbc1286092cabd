"""Fifty runs recorded with a network and replayed without one: the same requests, outputs and messages.

`python -m tests.prove.replay` goes on where an earlier call stopped; --again starts anew. Needs the package index
once, for the agents that use requests and httpx.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.flows.house import House
from tests.flows.replaying import record, replay_without_network
from tests.flows.world_to_record import PROGRAMS, Web
from tests.prove.record import Record, asked

RECORD = Record("replay")
_AT_ONCE = 10


def wanted(count: int) -> list[tuple[str, int]]:
    """Every program in turn, each time with another seed."""
    names = list(PROGRAMS)
    return [(names[n % len(names)], n // len(names)) for n in range(count)]


def prove(points: list[tuple[str, int]]) -> list[dict[str, Any]]:
    """Recorded and replayed on a fresh data folder. `problem` is empty when every promise held."""
    with tempfile.TemporaryDirectory(prefix="ab-replay-") as place:
        folder, web = Path(place), Web()
        house = House(folder / "data", open_ports=(web.port,)).open()
        try:
            runs = record(house, web, points)
        finally:
            house.close()
            web.close()
        wrong = replay_without_network(folder, runs, web.port)
    return [
        {
            "program": name,
            "seed": seed,
            "requests": sum(host["requests"] for host in run["hosts"]),
            "status": run["status"],
            "problem": "; ".join(wrong[run["id"]])[:2000],
        }
        for (name, seed), run in zip(points, runs, strict=True)
    ]


def summary(found: list[dict[str, Any]]) -> str:
    lines = [f"{'program':<32}{'runs':>6}{'requests':>10}{'same':>6}"]
    for name in PROGRAMS:
        here = [one for one in found if one["program"] == name]
        same = sum(1 for one in here if not one["problem"])
        lines.append(f"{name:<32}{len(here):>6}{sum(one['requests'] for one in here):>10}{same:>6}")
    same = sum(1 for one in found if not one["problem"])
    return "\n".join([*lines, f"{same} of {len(found)} the same"])


def main(arguments: list[str]) -> int:
    runs = asked(arguments, __doc__, RECORD, 50, called="runs")
    found = RECORD.known()
    done = {(one["program"], one["seed"]) for one in found}
    left = [point for point in wanted(runs) if point not in done]
    for start in range(0, len(left), _AT_ONCE):
        some = prove(left[start : start + _AT_ONCE])
        found += some
        for one in some:
            RECORD.note(one)
            print(f"{one['program']} seed {one['seed']}: {one['problem'] or 'the same'}", flush=True)
    print(summary(found))
    return 1 if any(one["problem"] for one in found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
