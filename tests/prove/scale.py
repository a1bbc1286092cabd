"""Ten thousand, a hundred thousand, a million agents on Google Cloud: the figures of docs/scale.md.

`python -m tests.prove.scale` writes them into the page; `--check` says whether they are the page's.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from services.scheduler.handlers import AT_ONCE, PAGES
from shared.store import firestore, lanes
from tests.prove.scale_model import (
    DELETED,
    DOCUMENTS,
    EVENT_BYTES,
    EVENTS,
    NOTES,
    READ,
    RISING,
    TRIGGERED_A_DAY,
    contend,
    due_by_minute,
    lateness,
    pushes,
)

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
BEGIN, END = "<!-- figures: python -m tests.prove.scale -->", "<!-- end of figures -->"
SIZES = (10_000, 100_000, 1_000_000)

# Assumptions about Google's side, to be replaced by measurements there.
ROUND_S = 1.2  # one look ahead and its pages made beside each other: two hops of Pub/Sub, two commits
COMMIT_S = 0.04  # read and commit of one document in the same region
RUN_S = 30.0  # a job's start, and the run
EXECUTIONS = 1000  # at once, per project and region, before anybody asks for more
CARRIED = 100  # runs at once by an instance of executor-egress: terraform/runner.tf
INSTANCES, MOST_INSTANCES = (
    4,
    40,
)  # of a service, that hear of one workspace at once: terraform/env/prod.tfvars
SEALED = 3  # KMS requests of a run elsewhere: its door wrapped and unwrapped, and a secret (decision 42)
CPU_S = 0.15  # of all five services for one run: five times what the embedded ones take
ALWAYS_VCPU, ALWAYS_GIB = 9.0, 20.0  # what waits in any case: env/prod.tfvars

# US dollars, list prices without free tiers; sources in docs/scale.md.
READS, WRITES, DELETES = 0.03 / 100_000, 0.09 / 100_000, 0.01 / 100_000
PUBSUB = 40 / 2**40
VCPU_S, GIB_S = 0.000018, 0.000002
KMS_REQUEST, KMS_KEY = 0.03 / 10_000, 0.06
KEYS = 6  # docs/keys.json; their older versions cost the same
JOB_S = 60.0  # a task is billed for a minute at least
DAYS = 30


def runs_a_day(agents: int) -> float:
    return sum(due_by_minute(agents)) + agents * TRIGGERED_A_DAY


def made_a_minute() -> float:
    return AT_ONCE * PAGES / ROUND_S * 60


def peak_per_s(agents: int) -> float:
    """Runs asked for in a second of the fullest minute: as many as are due, or as can be made."""
    return min(max(due_by_minute(agents)), made_a_minute()) / 60


def _late(agents: int, per_minute: float) -> str:
    found = lateness(due_by_minute(agents) * 2, per_minute)
    if not found.caught_up:
        return "never catches up"
    return f"{found.worst} min, {found.late:.0%} late" if found.worst else "none late"


def _written(each: float, agents: int) -> str:
    return f"{peak_per_s(agents) * each:,.0f}"


def _begun(agents: int) -> str:
    minutes = max(due_by_minute(agents)) / (EXECUTIONS / RUN_S) / 60
    return f"{minutes:,.0f} min"


def _firestore(runs: float) -> float:
    writes = DOCUMENTS + len(EVENTS) + NOTES
    return runs * (writes * WRITES + READ * READS + _deleted() * DELETES)


def _deleted() -> int:
    """With the mark of each event somebody handled, a week later."""
    return DELETED + len(EVENTS) + NOTES + pushes()[1]


def _pubsub(runs: float) -> float:
    return runs * (len(EVENTS) + pushes()[0]) * EVENT_BYTES * PUBSUB


def _services(runs: float) -> float:
    waiting = DAYS * 86_400 * (ALWAYS_VCPU * VCPU_S + ALWAYS_GIB * GIB_S)
    return waiting + runs * CPU_S * (VCPU_S + GIB_S)


def _way_out(runs: float) -> float:
    """executor-egress: one instance at least, of a core and half a GiB."""
    seconds = max(DAYS * 86_400.0, runs * RUN_S / CARRIED)
    return seconds * (VCPU_S + GIB_S / 2) + runs * SEALED * KMS_REQUEST + KEYS * KMS_KEY


def _jobs(runs: float) -> float:
    return runs * max(JOB_S, RUN_S) * (VCPU_S + GIB_S / 2)


def _shared(runs: float) -> float:
    """Four runs a core in instances that stay, as the executor does by itself."""
    return runs * 20 / 4 * (VCPU_S + 4 * GIB_S)


def _money(cost: Callable[[float], float]) -> Callable[[int], str]:
    return lambda agents: f"${cost(runs_a_day(agents) * DAYS):,.0f}"


def loads() -> list[str]:
    sent, wanted = pushes()
    rows: list[tuple[str, Callable[[int], str]]] = [
        ("runs a day", lambda n: f"{runs_a_day(n):,.0f}"),
        ("due in the fullest minute (09:00)", lambda n: f"{max(due_by_minute(n)):,.0f}"),
        ("latest slot if a tick made one page of 100", lambda n: _late(n, AT_ONCE)),
        (f"latest slot as it is ({made_a_minute():,.0f} a minute)", lambda n: _late(n, made_a_minute())),
        ("runs asked for a second, then", lambda n: f"{peak_per_s(n):,.0f}"),
        (
            f"runs at once, if none waits ({RUN_S:.0f} s each; limit {EXECUTIONS:,})",
            lambda n: f"{peak_per_s(n) * RUN_S:,.0f}",
        ),
        (f"last run of 09:00 begins, with {EXECUTIONS:,} at once", _begun),
        ("events published a second", lambda n: f"{peak_per_s(n) * len(EVENTS):,.0f}"),
        ("published, MB/s (limit 50 in a small region)", lambda n: _mb(peak_per_s(n) * len(EVENTS))),
        (f"pushes a second ({sent} a run, {wanted} wanted)", lambda n: f"{peak_per_s(n) * sent:,.0f}"),
    ]
    rows += [
        (f"writes a second to {name} (limit 500)", partial(_written, each)) for name, each in RISING.items()
    ]
    return _table("", rows)


def _all(runs: float) -> float:
    return sum(cost(runs) for cost in (_firestore, _pubsub, _services, _jobs, _way_out))


def costs() -> list[str]:
    per_run = f"{DOCUMENTS + len(EVENTS) + NOTES} writes, {READ} reads, {_deleted()} deletes"
    rows: list[tuple[str, Callable[[int], str]]] = [
        (f"Firestore ({per_run} a run)", _money(_firestore)),
        (f"Pub/Sub ({len(EVENTS)} events, {pushes()[0]} pushes a run)", _money(_pubsub)),
        ("the five services", _money(_services)),
        ("runs, a job each", _money(_jobs)),
        ("or: runs, four a core in instances that stay", _money(_shared)),
        (f"executor-egress, and KMS ({SEALED} requests a run)", _money(_way_out)),
        ("together, with jobs", _money(_all)),
    ]
    return _table("a month", rows)


def hot() -> list[str]:
    """One workspace whose agents all run at 09:00."""
    lines = [
        "| agents, all at 09:00 | document | commits in a minute | instances | done after | tries | given up |",
        "|---|---|---|---|---|---|---|",
    ]
    cases = [
        (agents, name, each, INSTANCES)
        for agents in (10, 100, 1000)
        for name, each in (("change_feeds/{workspace}", 4), ("budgets/{workspace}", 2))
    ]
    for agents, name, each, instances in [*cases, (1000, "change_feeds/{workspace}", 4, MOST_INSTANCES)]:
        found = contend(
            agents * each,
            60.0,
            commit_s=COMMIT_S,
            tries=firestore._TRIES,
            longest_s=firestore._MAX_WAIT_S,
            instances=instances,
            together=lanes.MOST,
        )
        lines.append(
            f"| {agents:,} | `{name}` | {agents * each:,} | {instances} | {found.seconds:.0f} s "
            f"| {found.tries:.1f} | {found.given_up:,} |"
        )
    return lines


def _mb(events: float) -> str:
    return f"{events * EVENT_BYTES / 1e6:,.1f}"


def _table(what: str, rows: list[tuple[str, Callable[[int], str]]]) -> list[str]:
    head = " | ".join(f"{size:,} agents" for size in SIZES)
    lines = [f"| {what} | {head} |", "|---|" + "---|" * len(SIZES)]
    return lines + [f"| {name} | " + " | ".join(say(size) for size in SIZES) + " |" for name, say in rows]


def block() -> str:
    parts = [loads(), hot(), costs()]
    return "\n\n".join("\n".join(lines) for lines in parts)


def current(page: str) -> bool:
    return f"{BEGIN}\n\n{block()}\n\n{END}" in page


def written(page: str) -> str:
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n\n{block()}\n\n{END}{rest.split(END)[1]}"


def main(arguments: list[str]) -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", action="store_true")
    page = PAGE.read_text(encoding="utf-8")
    if options.parse_args(arguments).check:
        return 0 if current(page) else 1
    PAGE.write_text(written(page), encoding="utf-8")
    print(block())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
