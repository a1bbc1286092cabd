"""Many calls at once on a few leases, against a server that reports what it likes: ledger and planner on real stores.

`Spending.go` makes the calls and `end` lets everything be heard; `holds` is asked in between. Used by the unit
tier for a sample and by `python -m tests.prove.money` for the whole.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from services.ledger.deps import Deps as LedgerDeps
from services.ledger.handlers import HANDLERS as LEDGER
from services.planner import meter as meters
from services.planner.handlers import leases
from services.planner.meter import Meter
from services.planner.ports import Usage
from shared.bus.dispatch import Handlers, Quick
from shared.clock import FakeClock, stamp
from shared.errors import OverBudget
from shared.events.clock import TimeTicked
from shared.events.envelope import Envelope, payload
from shared.events.run import RunFinished, RunFunded, RunRefused, RunRequested
from shared.events.usage import LeaseRecalled
from shared.records.ledger import AgentDay, Budget, Lease
from shared.store.port import Cause, Query
from tests.unit.desk import WORKSPACE, Desk

THREADS = 8
LIMIT_S = 60.0
MODELS = ("claude-haiku-4-5", "a-model-nobody-priced")
WAYS = ("exactly", "less", "more", "nothing", "cut", "twice", "refused", "dies")
"""What a server does with a call: reports what was reserved, less, more than that; reports no usage; breaks off;
reports it twice; refuses before it begins; or this process dies before it has written anything down."""

# The planner's part of this: the rest of its handlers has nothing to do with money.
PLANNER: Handlers = {
    RunFunded: Quick(leases.on_run_funded, above_zero="tokens"),
    LeaseRecalled: Quick(leases.on_lease_recalled),
}


@dataclass
class Reported:
    """What the server said, call by call: the judge's own book. Unknown use is what was reserved."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    tokens: dict[str, int] = field(default_factory=dict)
    ways: Counter[str] = field(default_factory=Counter)

    def note(self, call_id: str, way: str, tokens: int) -> None:
        with self.lock:
            self.tokens[call_id] = tokens
            self.ways[way] += 1

    def unpaid(self) -> None:
        with self.lock:
            self.ways["not paid for"] += 1


class Spending:
    """month, day, run: the caps, in tokens. ways: what the server may do."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        *,
        month: int = 400_000,
        day: int = 150_000,
        run: int = 30_000,
        ways: Iterable[str] = WAYS,
    ) -> None:
        self._dice = random.Random(seed)
        self._seed = seed
        self._ways = tuple(ways)
        self._day, self._run = day, run
        self.clock = FakeClock()
        self.ledger = Desk(
            folder, "ledger", LEDGER, lambda d: LedgerDeps(d.clock, month_tokens=month), self.clock
        )
        self.planner = Desk(folder, "planner", PLANNER, lambda d: None, self.clock)
        self.reported = Reported()
        self.runs = 0
        self.refused_runs = 0
        self._lease_of: dict[str, str] = {}
        self._waiting: list[tuple[Desk, Envelope]] = []

    def close(self) -> None:
        self.ledger.close()
        self.planner.close()

    def go(self, calls: int, runs: int = 4) -> None:
        """That many calls, eight at once, on the leases of so many new runs, which end afterwards."""
        begun = [self._request() for _ in range(runs)]
        self._deliver()
        with ThreadPoolExecutor(THREADS) as pool:
            numbers = [f"{self.runs}-{number}" for number in range(calls)]
            list(pool.map(self._call, numbers))
        for run_id in begun:
            self.ledger.hears(_finished(run_id, self._lease_of.get(run_id)))
        self._deliver()
        self.holds()

    def end(self) -> None:
        """Time passes until all is counted: calls of dead processes, leases, whatever is still on its way."""
        self.clock.advance(minutes=10)
        self._tick_planner()
        self._deliver()
        self.clock.advance(hours=7)
        for _ in range(len(self.ledger.documents("leases")) + 1):
            self.ledger.hears(TimeTicked(at=stamp(self.clock.now())))
        self._deliver()
        self.holds()

    def holds(self) -> None:
        """At every moment: what is lent and what is spent never pass a cap, of the month, the day or the lease."""
        purses: list[Budget | AgentDay] = [*self.budgets(), *self.days()]
        for purse in purses:
            assert purse.leased_tokens + purse.spent_tokens <= purse.cap_tokens, purse
            assert min(purse.leased_tokens, purse.spent_tokens, purse.over_tokens) >= 0, purse
        for meter in self.meters():
            assert meter.spent + meter.reserved <= meter.tokens or self._ways_above, meter

    @property
    def _ways_above(self) -> bool:
        return "more" in self._ways

    def budgets(self) -> list[Budget]:
        return [Budget.from_doc(data) for data in self.ledger.documents("budgets").values()]

    def days(self) -> list[AgentDay]:
        return [AgentDay.from_doc(data) for data in self.ledger.documents("agent_days").values()]

    def leases(self) -> list[Lease]:
        return [Lease.from_doc(data) for data in self.ledger.documents("leases").values()]

    def meters(self) -> list[Meter]:
        return [Meter.from_doc(data) for data in self.planner.documents(meters.METERS).values()]

    def entries(self) -> list[dict[str, Any]]:
        """Those of calls."""
        return [d.data for d in self.ledger.store.query(Query("usage", limit=100_000)) if d.data["model"]]

    def _request(self) -> str:
        self.runs += 1
        run_id = f"run_{self.runs}"
        self.ledger.hears(
            RunRequested(
                run_id=run_id,
                agent_id=f"agent_{self.runs % 3}",
                version_id="ver_1",
                kind="manual",
                tokens=self._run,
                tokens_per_day=self._day,
                deadline_at="",
                requested_at="",
            )
        )
        return run_id

    def _call(self, number: str) -> None:
        """One call as the planner makes it, in a thread of its own."""
        dice = random.Random(f"{self._seed}-{number}")
        known = list(self._lease_of.values())[-4:]
        if not known:
            return self.reported.unpaid()
        lease_id, call_id = dice.choice(known), f"call_{number}"
        wanted, way = dice.randint(1, self._run // 30), dice.choice(self._ways)
        try:
            meters.reserve(
                self.planner.store,
                lease_id,
                call_id,
                turn=call_id,
                model=dice.choice(MODELS),
                tokens=wanted,
                limit_s=LIMIT_S,
                clock=self.clock,
            )
        except OverBudget:
            return self.reported.unpaid()
        used = {
            "exactly": wanted,
            "less": dice.randint(0, wanted),
            "more": wanted + dice.randint(1, wanted * 3),
        }
        if way == "refused":
            meters.release(self.planner.store, lease_id, call_id)
            return self.reported.note(call_id, way, 0)
        tokens = used.get(way, dice.randint(0, wanted) if way == "twice" else wanted)
        self.reported.note(call_id, way, tokens)
        for _ in range({"twice": 2, "dies": 0}.get(way, 1)):
            output = dice.randint(0, tokens)
            known_use = None if way in ("nothing", "cut") else Usage(tokens - output, output)
            self._settle(lease_id, call_id, known_use)
        return None

    def _settle(self, lease_id: str, call_id: str, usage: Usage | None) -> None:
        self.planner.store.transact(
            lambda tx: meters.settle(tx, lease_id, call_id, usage), cause=Cause(WORKSPACE, "service:planner")
        )

    def _deliver(self) -> None:
        """Everything said so far arrives, doubled and in any order."""
        while True:
            self._waiting += [(self.planner, e) for e in self._from_ledger()]
            self._waiting += [(self.ledger, e) for e in self.planner.outgoing()]
            if not self._waiting:
                return
            self._dice.shuffle(self._waiting)
            batch, self._waiting = self._waiting, []
            for desk, envelope in batch:
                received = desk.hears_again(envelope)
                assert received.verdict != "dead", received.reason
                if received.verdict == "retry" or self._dice.random() < 0.1:
                    self._waiting.append((desk, envelope))

    def _from_ledger(self) -> list[Envelope]:
        taken = self.ledger.outgoing()
        for envelope in taken:
            if envelope.type == RunFunded.type():
                funded = payload(envelope, RunFunded)
                self._lease_of[funded.run_id] = funded.lease_id
            self.refused_runs += envelope.type == RunRefused.type()
        return [e for e in taken if e.type in (RunFunded.type(), LeaseRecalled.type())]

    def _tick_planner(self) -> None:
        """As the planner's tick does: one meter in each commit, until nothing is left to do."""
        now = self.clock.now()
        for found in meters.open_meters(self.planner.store, limit=10_000):
            meter = meters.find_meter(self.planner.store, found.id)
            if meter is not None and not meter.closed:
                self.planner.store.transact(
                    partial(meters.sweep, meter=meter, now=now), cause=Cause(WORKSPACE, "service:planner")
                )


def _finished(run_id: str, lease_id: str | None) -> RunFinished:
    return RunFinished(
        run_id=run_id,
        agent_id="agent_1",
        version_id="ver_1",
        kind="manual",
        conversation_id=None,
        status="succeeded",
        outcome="delivered",
        lease_id=lease_id,
    )
