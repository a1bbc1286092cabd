"""Google's emulators under contention: writers on one document, workers on one subscription. Nothing where none are."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shared.bus.letters import StoredLetters
from shared.bus.port import Received
from shared.bus.pubsub import PubSubBus, provision
from shared.clock import SystemClock
from shared.events.envelope import Envelope
from shared.ids import RandomIds
from shared.store.firestore import FirestoreDatabases, FirestoreStore
from shared.store.port import Cause, Tx
from tests import emulators
from tests.bench.figures import Limit, Row, Samples
from tests.contract.receiving import event
from tests.google import emulators as places
from tests.google import fresh_project, named

WRITERS, WORKERS = 16, 8
# Decision: a commit that needs more on average is a storm. Pub/Sub promises nothing about time.
_MOST_TRIES = 5.0
_CAUSE = Cause("bench", "service:bench")
_PATIENCE_S = 120.0


def measure(folder: Path, each: int) -> list[Row]:
    """each: commits of every writer; fifty times as many events."""
    folder.mkdir(exist_ok=True)
    emulators.use(folder)
    try:
        with named(**places()):
            return [*_writers(each), *_workers(each * 50)]
    except emulators.NotHere as missing:
        print(f"not measured: {missing}", file=sys.stderr, flush=True)
        return []
    finally:
        emulators.stop_all(folder)


def _writers(each: int) -> list[Row]:
    databases = FirestoreDatabases(fresh_project(), SystemClock(), RandomIds())
    store = databases.own("ledger")
    try:
        _add(store, "first")  # the emulator takes its time for it
        alone, _, _ = _race(lambda writer: _add(store, f"own{writer}"), each)
        rate, took, tries = _race(lambda writer: _add(store, "one"), each)
        kept = store.get("counters", "one")
        assert kept is not None
        assert kept.data["n"] == WRITERS * each, "a write was lost or counted twice"
    finally:
        databases.close()
    what = f"Firestore's emulator, {WRITERS} writers on one document"
    apart = Limit("each on a document of its own", Samples.of([alone], "per s"))
    return [
        Row(f"{what}: commits per second", Samples.of([rate], "per s"), apart, better="higher"),
        Row(f"{what}: a commit, waiting included", Samples.of(took)),
        Row(f"{what}: tries a commit", Samples.of([tries], "tries"), target=_MOST_TRIES),
    ]


def _add(store: FirestoreStore, id: str) -> int:
    """How often it was tried."""
    tries = 0

    def add(tx: Tx) -> None:
        nonlocal tries
        tries += 1
        found = tx.get("counters", id)
        tx.put("counters", id, {"n": (found.data["n"] if found else 0) + 1})

    store.transact(add, cause=_CAUSE)
    return tries


def _race(write: Callable[[int], int], each: int) -> tuple[float, list[float], float]:
    """Commits per second, the milliseconds of each, tries per commit."""
    took: list[float] = []
    tries: list[int] = []

    def run(writer: int) -> None:
        for _ in range(each):
            begun = time.perf_counter()
            tries.append(write(writer))
            took.append(1000 * (time.perf_counter() - begun))

    begun = time.perf_counter()
    threads = [threading.Thread(target=run, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(took) / (time.perf_counter() - begun), took, sum(tries) / len(tries)


class _Counting:
    """Notes when each event came first; `all_here` is set when `wanted` have."""

    def __init__(self, wanted: int) -> None:
        self.first: dict[str, float] = {}
        self.counts: Counter[str] = Counter()
        self.all_here = threading.Event()
        self._wanted = wanted
        self._lock = threading.Lock()

    def __call__(self, envelope: Envelope) -> Received:
        with self._lock:
            self.first.setdefault(envelope.id, time.perf_counter())
            self.counts[envelope.id] += 1
            if len(self.first) == self._wanted:
                self.all_here.set()
        return Received("ack")


def _workers(count: int) -> list[Row]:
    project, clock = fresh_project(), SystemClock()
    provision(project, ["run"], {"ledger": ["run"]})
    databases = FirestoreDatabases(project, clock, RandomIds())
    letters = StoredLetters(databases, ["ledger"], clock)
    seen = _Counting(count)
    buses: list[Any] = [PubSubBus(project, clock, letters) for _ in range(WORKERS)]
    try:
        for bus in buses:
            bus.subscribe("ledger", ["run"], seen)
            bus.start()
        sent: dict[str, float] = {}
        begun = time.perf_counter()
        for start in range(0, count, 20):
            batch = [event(number) for number in range(start, min(start + 20, count))]
            sent |= dict.fromkeys((one.id for one in batch), time.perf_counter())
            buses[0].publish(batch)
        assert seen.all_here.wait(_PATIENCE_S), f"{len(seen.first)} of {count} events came"
        rate = count / (time.perf_counter() - begun)
    finally:
        for bus in buses:
            bus.stop()
        databases.close()
    what = f"Pub/Sub's emulator, {WORKERS} workers on one subscription"
    ways = [1000 * (seen.first[id] - at) for id, at in sent.items()]
    again = sum(times - 1 for times in seen.counts.values())
    return [
        Row(
            f"{what}: events per second, published and handled", Samples.of([rate], "per s"), better="higher"
        ),
        Row(f"{what}: published → handled", Samples.of(ways)),
        Row(f"{what}: deliveries that came again", Samples.of([again], "events")),
    ]
