"""`python -m tests.bench [--quick]`: the whole table; a quick one is printed, a full one written to docs/."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import (
    beside,
    contention,
    egress,
    engines,
    environments,
    life,
    model,
    runs,
    sandbox,
    splits,
    starts,
)
from tests.bench.application import ROOT, Served
from tests.bench.figures import Row
from tests.bench.limits import BareSandbox, emptied
from tests.bench.page import page
from tests.flows.shops import Shops

PAGE = ROOT / "docs" / "performance.md"
_SETTLE_S = 6  # one tick and what follows from it


def measure(folder: Path, *, quick: bool) -> list[Row]:
    count, seconds = (12, 4.0) if quick else (80, 12.0)
    bare = BareSandbox(emptied(folder / "bare"))
    shops = [Shops(f"127.0.0.{number}") for number in (1, 2, 3)]
    served = Served(folder / "data", open_places=tuple(shop.place("a") for shop in shops))
    try:
        rows = _said(runs.measure(served, bare, count, seconds))
        rows += _said(splits.measure(served, folder / "data", count // 2, seconds))
        rows += _said(life.proposals(served, shops, 3 if quick else 10))
        rows += _said(beside.measure(served, 3 if quick else 8))
    finally:
        served.stop()
        for shop in shops:
            shop.close()
    rows += _said(starts.measure(emptied(folder / "starts"), bare, 20 if quick else 200))
    rows += _said(sandbox.measure(emptied(folder / "alone"), bare, count))
    rows += _said(environments.measure(emptied(folder / "packages"), 3 if quick else 15))
    rows += _said(egress.measure(count))
    rows += _said(model.measure(emptied(folder / "model"), 2 if quick else 6))
    rows += _said(engines.measure(emptied(folder / "engines"), count * 4, seconds / 4))
    rows += _said(contention.measure(emptied(folder / "contention"), 5 if quick else 20))
    rows += _said(life.starts_and_stops(folder / "data", 3 if quick else 7))
    served = Served(folder / "data")
    time.sleep(_SETTLE_S)
    try:
        rows += _said(life.rest(served, 5 if quick else 20))
    finally:
        served.stop()
    return rows


def _said(rows: list[Row]) -> list[Row]:
    for row in rows:
        limit = f"   (limit {row.limit.samples.text()})" if row.limit else ""
        print(f"{row.what}: {row.samples.text()}{limit}", file=sys.stderr, flush=True)
    return rows


def main() -> int:
    options = argparse.ArgumentParser(prog="tests.bench", description=__doc__)
    options.add_argument(
        "--quick", action="store_true", help="few samples; print the page instead of writing it"
    )
    quick = options.parse_args().quick
    load = os.getloadavg()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        text = page(measure(Path(folder), quick=quick), quick=quick, load=load)
    if quick:
        print(text)
    else:
        PAGE.write_text(text, encoding="utf-8")
        print(f"{PAGE.relative_to(ROOT)} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
