"""Two hundred runs of honest code, each handling things of its own that look like secrets: no decoy trips.

`python -m tests.prove.honesty` goes on where an earlier call stopped; --again starts anew.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.fakes.upstream import Upstream
from tests.flows.honest import honest_agent, honest_run
from tests.flows.house import House
from tests.prove.record import Record, asked

RECORD = Record("honesty")
RUNS = 200


def main(arguments: list[str]) -> int:
    asked(arguments, __doc__, RECORD)
    found = RECORD.known()
    done = {one["seed"] for one in found}
    with tempfile.TemporaryDirectory(prefix="ab-honesty-") as folder, Upstream() as sink:
        house = House(Path(folder) / "data", open_ports=(sink.port,)).open()
        try:
            person = house.person(patience_s=60)
            agent_id = honest_agent(person, sink)
            for seed in (seed for seed in range(RUNS) if seed not in done):
                problem = ""
                try:
                    honest_run(person, agent_id, seed)
                except AssertionError as error:
                    problem = str(error)[:1000] or "an assertion without words"
                found.append({"seed": seed, "problem": problem})
                RECORD.note(found[-1])
                if problem:
                    print(f"seed {seed}: {problem}", flush=True)
        finally:
            house.close()
    print(f"{sum(not one['problem'] for one in found)} of {len(found)} honest runs let be")
    return 1 if any(one["problem"] for one in found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
