"""Every service killed and every engine of Google's silent, at moments of build, rehearsal and run; docs/outages.md.

`python -m tests.prove.outages --seeds 1` goes on where an earlier call stopped; --again starts anew. All on the five
services as they are on Google Cloud, with each message twice, late and out of order.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests import emulators
from tests.flows.google_split_house import GoogleSplitHouse
from tests.flows.outages import ENGINES, SILENT_S, STAGES, TARGETS, Outage, engines_of_its_own
from tests.flows.shops import Shops, Sink

ROOT = Path(__file__).parents[2]
RECORD = ROOT / ".cache" / "prove-outages.jsonl"
PAGE = ROOT / "docs" / "outages.md"
_HEAD = f"""# Outages

Five services as gunicorn processes of their own, Google's emulators under them, runs as jobs, tokens checked; every
message comes twice, late and in another order (`tests/flows/google_split_house.py`). Into that, one outage: a service
is killed with SIGKILL (both its processes) and started again on an empty disk up to two seconds later, or an engine
keeps its connections and answers nothing for {SILENT_S:g} seconds. The moment follows from a seed. A person goes on
asking, under the same idempotency key.

After it, each time: the build is there once, its rehearsal sent nothing; the run succeeded once and its message
arrived once (a gateway killed while it sends asks a person instead); the record of the run has no gap; memory, usage
and budget are booked once; no dead letter, no job and no event is left behind.

Again: `python -m tests.prove.outages`; two of the points are in `make test` (`tests/flows/test_outages.py`).
"""


def prove(target: str, stage: str, seed: int) -> dict[str, Any]:
    """One point on engines and a house of its own. `problem` is empty when every promise held."""
    shops, sink, problem = Shops(), Sink(), ""
    with tempfile.TemporaryDirectory(prefix="ab-outage-", ignore_cleanup_errors=True) as folder:
        engines = Path(folder) / "engines"
        engines.mkdir()
        with engines_of_its_own(str(engines)):
            house = GoogleSplitHouse(Path(folder), open_ports=(shops.port, sink.port), seed=seed + 1)
            point = Outage(target, stage, seed, house, shops, sink)
            begun = time.monotonic()
            try:
                house.open()
                point.go()
            except AssertionError as error:
                problem = str(error)[:2000] or "an assertion without words"
            finally:
                problem = _closed(house) or problem
                shops.close()
                sink.close()
    return {
        "target": target,
        "stage": stage,
        "seed": seed,
        "after_s": round(point.after_s, 2),
        "all_s": round(time.monotonic() - begun, 1),
        "problem": problem,
    }


def _closed(house: GoogleSplitHouse) -> str:
    """What it says about itself: somebody had died, or logged an error."""
    try:
        house.close()
    except AssertionError as error:
        return str(error)[:2000]
    return ""


def known() -> list[dict[str, Any]]:
    return [json.loads(line) for line in RECORD.read_text().splitlines()] if RECORD.exists() else []


def page(found: list[dict[str, Any]]) -> str:
    lines = [
        _HEAD,
        "| outage | " + " | ".join(STAGES) + " | from words to books, median |",
        "|---|---|---|---|---|",
    ]
    for target in TARGETS:
        here = [one for one in found if one["target"] == target]
        cells = [_held([one for one in here if one["stage"] == stage]) for stage in STAGES]
        took = f"{statistics.median(one['all_s'] for one in here):.0f} s" if here else "–"
        what = f"{target} silent" if target in ENGINES else f"{target} killed"
        lines.append(f"| {what} | {' | '.join(cells)} | {took} |")
    held = sum(1 for one in found if not one["problem"])
    lines += ["", f"{held} of {len(found)} points held."]
    broken = [one for one in found if one["problem"]]
    lines += [
        f"- {one['target']}, {one['stage']}, seed {one['seed']}: {one['problem'][:200]}" for one in broken
    ]
    return "\n".join(lines) + "\n"


def _held(points: list[dict[str, Any]]) -> str:
    return f"{sum(1 for one in points if not one['problem'])} of {len(points)}" if points else "–"


def main(arguments: list[str]) -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seeds", type=int, default=1)
    options.add_argument("--again", action="store_true", help="forget earlier points")
    chosen = options.parse_args(arguments)
    if chosen.again:
        RECORD.unlink(missing_ok=True)
    RECORD.parent.mkdir(exist_ok=True)
    os.environ.setdefault(emulators.FOLDER_VARIABLE, "")
    os.environ.setdefault(emulators.OWNER_VARIABLE, str(os.getpid()))
    found = known()
    done = {(one["target"], one["stage"], one["seed"]) for one in found}
    wanted = [(t, s, n) for n in range(chosen.seeds) for s in STAGES for t in TARGETS]
    for number, point in enumerate(wanted, 1):
        if point in done:
            continue
        one = prove(*point)
        found.append(one)
        with RECORD.open("a") as record:
            record.write(json.dumps(one, ensure_ascii=False) + "\n")
        print(f"{number}/{len(wanted)} {point}: {one['problem'] or 'held'} ({one['all_s']} s)", flush=True)
        PAGE.write_text(page(found), encoding="utf-8")
    return 1 if any(one["problem"] for one in found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
