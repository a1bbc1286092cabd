"""Ten thousand calls, eight at once, against a server that reports what it likes; docs/money.md is the result.

`python -m tests.prove.money` takes some minutes. Half of the calls meet a server that keeps to what it was given
in every way but one: it also reports more than that.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.unit.planner.spending import THREADS, WAYS, Spending

PAGE = Path(__file__).parents[2] / "docs" / "money.md"
CALLS = 10_000
_ROUND = 250
_MONTH, _DAY, _RUN = 3_500_000, 1_500_000, 120_000

_SAYS = {
    "exactly": "reports what was set aside",
    "less": "reports less",
    "more": "reports more than was set aside",
    "nothing": "answers without saying what it used",
    "cut": "breaks off",
    "twice": "is counted twice by us",
    "refused": "refuses before it begins",
    "dies": "our process dies between reserving and settling",
    "not paid for": "not made: the lease could not pay for it",
}


@dataclass(frozen=True)
class Found:
    """told: the ledger's lines, reported: the server's words (unknown ones: as reserved); of spent and over, all
    that stands in the month."""

    title: str
    ways: Counter[str]
    cap: int
    spent: int
    over: int
    told: int
    reported: int
    runs: int
    refused: int

    @property
    def held(self) -> bool:
        return self.spent <= self.cap and self.told == self.reported == self.spent + self.over


def prove(title: str, seed: int, ways: tuple[str, ...], calls: int) -> Found:
    """Caps of month, day and lease are asked after every round (`Spending.holds`)."""
    with tempfile.TemporaryDirectory(prefix="ab-money-") as folder:
        spending = Spending(Path(folder), seed, month=_MONTH, day=_DAY, run=_RUN, ways=ways)
        try:
            for made in range(0, calls, _ROUND):
                spending.go(min(_ROUND, calls - made))
                print(f"{title}: {made + _ROUND}/{calls}", flush=True)
            spending.end()
            (month,) = spending.budgets()
            told = sum(line["input_tokens"] + line["output_tokens"] for line in spending.entries())
            reported = sum(spending.reported.tokens.values())
            return Found(
                title,
                spending.reported.ways,
                month.cap_tokens,
                month.spent_tokens,
                month.over_tokens,
                told,
                reported,
                spending.runs,
                spending.refused_runs,
            )
        finally:
            spending.close()


def page(found: list[Found]) -> str:
    """What docs/money.md says."""
    calls = sum(sum(one.ways.values()) for one in found)
    lines = [
        "# What calls of a model cost, and the caps",
        "",
        f"Written by `python -m tests.prove.money`: {calls:,} calls, {THREADS} at once, on real stores of ledger and",
        "planner; facts arrive doubled and in any order. After every round, leases and spent tokens are held against",
        "the caps of month, day and lease. Why a server may report more than a call was given, and what `over` is:",
        "[decision 8](decisions/0008-the-lease-and-its-meter.md).",
        "",
        "| | " + " | ".join(one.title for one in found) + " |",
        "|---|" + "---|" * len(found),
        *(_row(_SAYS[way], [f"{one.ways[way]:,}" for one in found]) for way in (*WAYS, "not paid for")),
        _row("runs that asked for a lease", [f"{one.runs:,}" for one in found]),
        _row("of these refused, by the month or the agent's day", [f"{one.refused:,}" for one in found]),
        _row("cap of the month, tokens", [f"{one.cap:,}" for one in found]),
        _row("**spent, under the cap**", [f"**{one.spent:,}**" for one in found]),
        _row("over: reported beyond any room", [f"{one.over:,}" for one in found]),
        _row("**lines of the ledger, summed**", [f"**{one.told:,}**" for one in found]),
        _row("**what the server reported**", [f"**{one.reported:,}**" for one in found]),
        _row("held", ["yes" if one.held else "**no**" for one in found]),
    ]
    return "\n".join(lines) + "\n"


def _row(title: str, cells: list[str]) -> str:
    return f"| {title} | " + " | ".join(cells) + " |"


def main(arguments: list[str]) -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--calls", type=int, default=CALLS)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args(arguments)
    within = tuple(way for way in WAYS if way != "more")
    found = [
        prove("a server within what it was given", chosen.seed, within, chosen.calls // 2),
        prove("a server that may report more", chosen.seed + 1, WAYS, chosen.calls - chosen.calls // 2),
    ]
    if chosen.calls >= CALLS:
        PAGE.write_text(page(found), encoding="utf-8")
    print(page(found))
    return 0 if all(one.held for one in found) and found[0].over == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
