"""The trace of an event is that of what comes of it: doubled, cut by a death, tried again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shared.bus.dispatch import Dispatcher, Handlers, Job, Quick, Slow
from shared.bus.workers import Workers
from shared.clock import FakeClock, stamp
from shared.errors import Unavailable
from shared.events.envelope import Envelope
from shared.events.run import RunFinished, RunFunded, RunRefused, RunStarted
from shared.ids import SeededIds
from shared.store.port import Tx
from shared.store.sqlite import SqliteDatabases, SqliteStore
from shared.telemetry.metrics import Meter
from shared.telemetry.trace import Span, Tracer, current
from shared.telemetry.watching import Watching
from tests.repo.tree import ROOT

ASKED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@dataclass
class Deps:
    """Fails so many times before it does."""

    failures: int = 0
    seen: list[str] = field(default_factory=list)


class Send(Job):
    run_id: str


def on_funded(event: RunFunded, tx: Tx, deps: Deps) -> None:
    tx.emit(RunStarted(run_id=event.run_id, agent_id="a", kind="test", attempt=1))


def do_send(job: Send, deps: Deps) -> None:
    deps.seen.append(current())
    if deps.failures:
        deps.failures -= 1
        raise Unavailable("not now")


def record_send(job: Send, outcome: object, tx: Tx, deps: Deps) -> None:
    tx.emit(RunStarted(run_id=job.run_id, agent_id="a", kind="test", attempt=1))


HANDLERS: Handlers = {
    RunFunded: Quick(on_funded),
    RunRefused: Slow(lambda event, tx, deps: Send(run_id=event.run_id), do_send, record_send, Send),
    RunFinished: Quick(lambda event, tx, deps: tx.put("runs", event.run_id, {})),
}


class House:
    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.databases = SqliteDatabases(folder, self.clock, SeededIds())
        self.store: SqliteStore = self.databases.own("ledger")
        self.spans: list[Span] = []
        self.deps = Deps()
        self.meter = Meter()
        self.watching = Watching(Tracer("ledger", self, clock=self.clock, ids=SeededIds()), self.meter)

    def take(self, span: Span) -> None:
        self.spans.append(span)

    def hears(self, event: RunFunded | RunRefused | RunFinished) -> None:
        envelope = Envelope(
            id="evt_1",
            source=f"/services/{min(event.producers)}",
            type=event.type(),
            subject=event.subject(),
            time=stamp(self.clock.now()),
            workspace_id="wsp_one",
            actor="user:one",
            traceparent=ASKED,
            data=event.model_dump(mode="json"),
        )
        self.clock.advance(seconds=2)
        dispatcher = Dispatcher("ledger", HANDLERS, self.store, self.deps, self.clock, None, self.watching)
        assert dispatcher.receive(envelope).verdict == "ack"

    def works(self) -> bool:
        """As a process that has just been started: it knows nothing but what is stored."""
        return Workers(
            "ledger",
            HANDLERS,
            self.store,
            self.deps,
            self.clock,
            threads=0,
            alone=True,
            watching=self.watching,
        ).run_due()

    def emitted(self) -> list[str]:
        return [envelope.traceparent for envelope in self.store.outbox(10)]

    def counted(self, name: str) -> float:
        return sum(point.value for point in self.meter.points() if point.name == name)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.databases.close()


FUNDED = RunFunded(run_id="run_1", lease_id="lease_1", tokens=5, expires_at="later")
REFUSED = RunRefused(run_id="run_1", reason="no money")
FINISHED = RunFinished(
    run_id="run_1",
    agent_id="a",
    version_id="v",
    kind="manual",
    conversation_id=None,
    status="failed",
    outcome="not_delivered",
    wall_ms=1500,
)


def test_an_event_delivered_twice_is_two_spans_of_one_parent_and_its_effect_hangs_from_the_first(
    house: House,
) -> None:
    house.hears(FUNDED)
    house.hears(FUNDED)
    assert [(span.name, span.parent) for span in house.spans] == [("handle", ASKED)] * 2
    assert house.emitted() == [house.spans[0].traceparent]
    assert house.spans[0].attributes == {"event": "run.funded.v1", "waited_ms": 2000, "verdict": "ack"}


def test_a_job_goes_on_in_its_trace_after_a_death_and_each_try_is_a_span(house: House) -> None:
    house.deps.failures = 1
    house.hears(REFUSED)
    assert house.works()
    house.clock.advance(minutes=1)
    assert house.works()

    handle, first, second = house.spans
    assert [(span.name, span.parent) for span in (first, second)] == [("work", handle.traceparent)] * 2
    assert [span.attributes["tries"] for span in (first, second)] == [0, 1]
    assert house.deps.seen == [first.traceparent, second.traceparent]
    assert house.emitted() == [second.traceparent]
    assert house.counted("ab_claims_total") == 2


def test_a_fact_that_comes_twice_is_counted_once(house: House) -> None:
    house.hears(FINISHED)
    house.hears(FINISHED)
    assert house.counted("ab_events_total") == 2
    assert house.counted("ab_runs_total") == 1
    assert house.counted("ab_run_seconds") == 1.5


def test_nothing_of_opentelemetry_is_loaded_where_nothing_is_sent(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from services.all_in_one import SERVICES, Application\n"
        "from shared.runtime.settings import from_environment\n"
        f"house = Application(from_environment({{'AB_DATA_DIR': {str(tmp_path)!r}}}), list(SERVICES))\n"
        "house.stop()\n"
        "print([name for name in sys.modules if name.startswith(('opentelemetry', 'google.protobuf'))])\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert said.stdout.strip() == "[]"
