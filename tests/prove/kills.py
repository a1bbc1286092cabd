"""Kill the whole application at many seeded moments and see that it recovers each time.

`python -m tests.prove.kills --points 40` goes on where an earlier call stopped; --again starts anew.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.flows.killing import STAGES, Living, Point
from tests.flows.shops import Shops, Sink
from tests.prove.record import Record, asked, at_points

RECORD = Record("kills")


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
    points = asked(arguments, __doc__, RECORD, points=40)
    found = at_points(RECORD, STAGES, points, prove)
    print(summary(found))
    return 1 if any(one["problem"] for one in found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
