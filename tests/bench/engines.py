"""Store and bus by themselves, in this process: commits per second, and one event's way to a service."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from shared.bus.dispatch import Dispatcher, Quick
from shared.bus.sqlite import SqliteBus
from shared.clock import SystemClock
from shared.events.run import RunFunded
from shared.ids import RandomIds
from shared.runtime.relay import Relay
from shared.store.port import Cause, Store, Tx
from shared.store.sqlite import SqliteDatabases
from tests.bench.figures import Limit, Row, Samples
from tests.bench.limits import commits_per_second, hand_overs

_CAUSE = Cause("bench", "service:bench")


def measure(folder: Path, count: int, seconds: float) -> list[Row]:
    databases = SqliteDatabases(folder, SystemClock(), RandomIds())
    try:
        commits = _commits(databases.own("planner"), seconds)
        hops = _hops(databases, folder, count)
    finally:
        databases.close()
    raw = commits_per_second(folder, seconds)
    # The outbox is read, the log written, the outbox emptied; a relay and a consumer wake up for it.
    floor = [2 * one + 3 * 1000 / raw for one in hand_overs(count)]
    return [
        Row(
            "store: commits per second, one document each, one thread",
            Samples.of([commits], "per s"),
            Limit("SQLite itself, one row a commit", Samples.of([raw], "per s")),
            better="higher",
        ),
        Row(
            "event: commit returned → other service's handler runs",
            Samples.of(hops),
            Limit("three bare commits and two wake-ups of a thread", Samples.of(floor)),
            target=10,
        ),
    ]


def _commits(store: Store, seconds: float) -> float:
    begun, count = time.perf_counter(), 0
    while time.perf_counter() - begun < seconds:
        store.transact(lambda tx, n=count: tx.put("things", f"t{n % 1000}", {"n": n}), cause=_CAUSE)  # type: ignore[misc]
        count += 1
    return count / (time.perf_counter() - begun)


def _hops(databases: SqliteDatabases, folder: Path, count: int) -> list[float]:
    clock = SystemClock()
    bus = SqliteBus(folder / "bus.db", clock, RandomIds())
    source, target = databases.own("ledger"), databases.own("executor")
    seen, arrived = threading.Event(), [0.0]

    def hear(_event: RunFunded, _tx: Tx, _deps: object) -> None:
        arrived[0] = time.perf_counter()
        seen.set()

    consumer = Dispatcher("executor", {RunFunded: Quick(hear)}, target, None, clock)
    relay = Relay("ledger", source, bus, clock)
    bus.subscribe("executor", consumer.topics(), consumer.receive)
    relay.start()
    bus.start()
    found = []
    event = RunFunded(
        run_id="run_bench", lease_id="lease_bench", tokens=0, expires_at="2030-01-01T00:00:00.000000Z"
    )
    for _ in range(count):
        seen.clear()
        source.transact(lambda tx: tx.emit(event), cause=_CAUSE)
        begun = time.perf_counter()
        seen.wait(10)
        found.append((arrived[0] - begun) * 1000)
        time.sleep(0.002)
    relay.stop()
    bus.stop()
    return found
