"""Kill the whole application at many seeded moments and see that it recovers each time.

`python -m tests.prove.kills --points 40` goes on where an earlier call stopped; --again starts anew.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.flows.killing import STAGES, Living, Point
from tests.flows.shops import Shops, Sink

RECORD = Path(__file__).parents[2] / ".cache" / "prove-kills.jsonl"


def prove(stage: str, seed: int) -> dict[str, Any]:
    """One point on a fresh data folder. `problem` is empty when every promise held."""
    shops, sink = Shops(), Sink()
    with tempfile.TemporaryDirectory(prefix="ab-kill-") as folder:
        living = Living(Path(folder) / "data", (shops.port, sink.port))
        point = Point(stage, seed, living, shops, sink)
        began, problem = time.monotonic(), ""
        try:
            living.start()
            point.go()
            living.stop()
            assert living.left_behind() == []
        except AssertionError as error:
            problem = str(error)[:2000] or "an assertion without words"
        finally:
            living.stop()
            shops.close()
            sink.close()
    return {
        "stage": stage,
        "seed": seed,
        "cut_after_s": round(point.waited_s, 3),
        "launcher_too": point.launcher_too,
        "twice": point.twice,
        "back_s": round(point.back_s, 2),
        "all_s": round(time.monotonic() - began, 1),
        "problem": problem,
    }


def known() -> list[dict[str, Any]]:
    return [json.loads(line) for line in RECORD.read_text().splitlines()] if RECORD.exists() else []


def summary(found: list[dict[str, Any]]) -> str:
    lines = [f"{'stage':<12}{'points':>7}{'held':>6}{'back again, median':>20}"]
    for stage in STAGES:
        here = [one for one in found if one["stage"] == stage]
        if here:
            held = sum(1 for one in here if not one["problem"])
            back = statistics.median(one["back_s"] for one in here)
            lines.append(f"{stage:<12}{len(here):>7}{held:>6}{back:>18.2f} s")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--points", type=int, default=40)
    options.add_argument("--again", action="store_true", help="forget earlier points")
    chosen = options.parse_args(arguments)
    if chosen.again:
        RECORD.unlink(missing_ok=True)
    RECORD.parent.mkdir(exist_ok=True)
    found = known()
    done = {(one["stage"], one["seed"]) for one in found}
    for number in range(chosen.points):
        stage, seed = STAGES[number % len(STAGES)], number // len(STAGES)
        if (stage, seed) in done:
            continue
        one = prove(stage, seed)
        found.append(one)
        with RECORD.open("a") as record:
            record.write(json.dumps(one, ensure_ascii=False) + "\n")
        print(f"{number + 1}/{chosen.points} {stage} seed {seed}: {one['problem'] or 'held'}", flush=True)
    print(summary(found))
    return 1 if any(one["problem"] for one in found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
