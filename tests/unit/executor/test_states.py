"""What an agent remembers: which version counts, what a rewind makes of it, and what is kept how long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.executor import repository
from services.executor.deps import Deps
from services.executor.handlers.states import keep_state, may_stay, on_state_rewind_requested, review_states
from services.executor.model import AttemptResult
from shared.blobs.files import FileBlobs
from shared.clock import FakeClock, stamp
from shared.events.agent import StateRewindRequested
from shared.ids import SeededIds
from shared.records.executor import Run, StateVersion
from shared.store.port import Cause, Tx
from shared.store.sqlite import SqliteDatabases, SqliteStore

CAUSE = Cause("wsp_one", "user:x")


@dataclass
class Memory:
    """An agent's memory on a real store, without runs around it."""

    store: SqliteStore
    blobs: FileBlobs
    clock: FakeClock

    @property
    def deps(self) -> Deps:
        now = lambda: stamp(self.clock.now())  # noqa: E731 - one line of a stand-in
        return cast("Deps", SimpleNamespace(store=self.store, blobs=self.blobs, clock=self.clock, now=now))

    def run(self, name: str, base: int | None = None, **more: Any) -> Run:
        at = stamp(self.clock.now())
        given = {"id": name, "workspace_id": "wsp_one", "agent_id": "agent_1", "version_id": "v"}
        times = {"requested_at": at, "deadline_at": at, "state_base": base}
        return Run.model_validate({**given, "kind": "manual", "status": "running", **times, **more})

    def leaves(self, name: str, base: int | None = None, standing: Any = "promoted") -> Run:
        """A run that began with `base` ends, leaving something."""
        key = f"executor/state/agent_1/{name}.tar"
        self.blobs.put(key, name.encode())
        self.blobs.put(repository.facts_key("agent_1", name), b"{}")
        result = AttemptResult(
            id=f"att_{name}",
            run_id=name,
            workspace_id="wsp_one",
            number=1,
            reason="exited",
            exit_code=0,
            state_key=key,
            state_size=3,
        )
        run = self.run(name, base)
        return self.store.transact(lambda tx: keep_state(tx, run, result, standing, self.deps), cause=CAUSE)

    def rewind(self, number: int, workspace: str = "wsp_one") -> None:
        event = StateRewindRequested(agent_id="agent_1", rewind_id="rw_1", number=number)

        def work(tx: Tx) -> None:
            on_state_rewind_requested(event, tx, self.deps)

        self.store.transact(work, cause=Cause(workspace, "user:x"))

    def said(self) -> list[str]:
        found = self.store.outbox(100)
        self.store.mark_sent([envelope.id for envelope in found])
        return [envelope.type.removeprefix("agentbuilder.agent.") for envelope in found]

    @property
    def current(self) -> int:
        return repository.head_of(self.store, "agent_1", "wsp_one").current

    def numbers(self) -> list[int]:
        return sorted(state.number for state in repository.states_of(self.store, "agent_1"))

    def after(self, **time: float) -> None:
        """That time passes, and the sweep comes by as often as it takes."""
        self.clock.advance(**time)
        for _ in range(200):
            review_states(self.deps)
            due = repository.states_to_review(self.store, stamp(self.clock.now()), 1)
            if not due and not repository.leftovers(self.store, 1):
                return
        raise AssertionError("the sweep never came to rest")


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    clock = FakeClock(datetime(2026, 11, 1, 9, tzinfo=UTC))
    databases = SqliteDatabases(tmp_path, clock, SeededIds())
    store = databases.own("executor")
    store.index(repository.QUERIES)
    yield Memory(store, FileBlobs(tmp_path / "blobs", SeededIds()), clock)
    databases.close()


def test_each_good_run_makes_the_next_version_and_the_newest_counts(memory: Memory) -> None:
    assert memory.leaves("one").state_new == 1
    assert memory.leaves("two", base=1).state_new == 2
    assert memory.current == 2


def test_a_run_that_began_with_what_no_longer_counts_does_not_take_over(memory: Memory) -> None:
    memory.leaves("one")
    memory.leaves("two", base=1)
    memory.rewind(1)
    assert memory.leaves("late", base=2).state_new == 4
    assert (memory.current, memory.numbers()) == (3, [1, 2, 3, 4])
    late = repository.state_of(memory.store, "agent_1", 4)
    assert late is not None
    assert late.standing == "aside"


def test_a_rewound_version_brings_the_facts_of_the_run_that_made_it(memory: Memory) -> None:
    memory.leaves("one")
    memory.leaves("two", base=1)
    memory.rewind(1)
    state = repository.state_of(memory.store, "agent_1", 3)
    assert state is not None
    assert (state.run_id, state.rewound_from, state.blob_key) == ("one", 1, "executor/state/agent_1/one.tar")


def test_rewinding_to_what_is_current_changes_nothing_and_is_told_as_done(memory: Memory) -> None:
    memory.leaves("one")
    memory.leaves("two", base=1)
    memory.rewind(1)
    memory.rewind(1)
    memory.rewind(3)
    assert (memory.current, memory.numbers()) == (3, [1, 2, 3])
    assert memory.said() == ["state_rewound.v1"] * 3


def test_what_is_not_there_is_anothers_or_never_counted_is_refused(memory: Memory) -> None:
    memory.leaves("one")
    memory.leaves("two", base=1, standing="candidate")
    memory.rewind(7)
    memory.rewind(2)
    memory.rewind(1, workspace="wsp_other")
    assert memory.said() == ["state_rewind_refused.v1"] * 3
    assert (memory.current, memory.numbers()) == (1, [1, 2])


def test_a_candidate_stays_a_week_and_goes_with_its_bytes(memory: Memory) -> None:
    memory.leaves("one")
    memory.leaves("two", base=1, standing="candidate")
    memory.after(days=6, hours=23)
    assert memory.numbers() == [1, 2]
    memory.after(hours=2)
    assert memory.numbers() == [1]
    assert memory.blobs.info("executor/state/agent_1/two.tar") is None
    assert memory.blobs.info("executor/state/agent_1/one.tar") is not None


def test_fifty_stay_and_of_the_older_ones_the_last_of_each_day_for_a_month(memory: Memory) -> None:
    for number in range(1, 81):
        memory.leaves(f"run{number}", base=number - 1 or None)
        memory.after(hours=6)
    memory.after(days=1)  # each is looked at once a day
    # Twenty days of four: the newest fifty and what was last on each day before them.
    newest, older = list(range(31, 81)), [n for n in memory.numbers() if n <= 30]
    assert memory.numbers() == older + newest
    days = {repository.state_of(memory.store, "agent_1", n).at[:10] for n in older}  # type: ignore[union-attr]
    assert older == list(range(3, 28, 4))  # of the eighth day, too, the last is among the newest
    assert len(days) == len(older)
    memory.after(days=40)
    assert memory.numbers() == newest
    kept = {info.key for info in memory.blobs.list("executor/state/")}
    assert kept == {f"executor/state/agent_1/run{n}.tar" for n in newest}
    assert {info.key.rsplit("/")[-1] for info in memory.blobs.list("executor/facts/")} == {
        f"run{n}.json" for n in newest
    }


def test_what_counts_or_is_begun_with_stays_however_old_it_is(memory: Memory) -> None:
    memory.leaves("one")
    memory.leaves("two", base=1)
    memory.rewind(1)
    for number in range(60):
        memory.leaves(f"aside{number}", base=2)
    run = memory.run("under_way", base=2)
    memory.store.transact(lambda tx: repository.save_run(tx, run), cause=CAUSE)
    memory.after(days=90)
    assert {2, 3} <= set(memory.numbers())
    assert 1 not in memory.numbers()  # its bytes and its facts are those of version 3
    assert memory.blobs.info("executor/state/agent_1/one.tar") is not None
    assert memory.blobs.info(repository.facts_key("agent_1", "one")) is not None


def test_a_database_from_before_there_was_a_head_is_read_as_it_was_meant(memory: Memory) -> None:
    old = {
        "id": "agent_1-000007",
        "workspace_id": "wsp_one",
        "agent_id": "agent_1",
        "number": 7,
        "run_id": "r",
    }
    more = {"blob_key": "executor/state/agent_1/old.tar", "sha256": "", "size": 1, "at": "2026-01-01"}
    memory.store.transact(lambda tx: tx.put(repository.STATES, old["id"], {**old, **more}), cause=CAUSE)  # type: ignore[arg-type]
    assert memory.current == 7
    assert memory.leaves("next", base=7).state_new == 8
    assert memory.current == 8
    memory.after(days=90)
    assert memory.numbers() == [7, 8]


@given(
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from(["promoted", "aside", "candidate"])), max_size=90)
)
def test_at_least_the_newest_fifty_always_stay(history: list[tuple[int, Any]]) -> None:
    begin = datetime(2026, 11, 1, tzinfo=UTC)
    states = [
        StateVersion(
            id=str(number),
            workspace_id="w",
            agent_id="a",
            number=number,
            run_id="r",
            blob_key="k",
            sha256="",
            size=0,
            at=stamp(begin - timedelta(days=day)),
            standing=standing,
        )
        for number, (day, standing) in enumerate(history, start=1)
    ]
    counted = [state for state in states if state.standing != "candidate"]
    since = stamp(begin - timedelta(days=30))
    stay = [state for state in states if may_stay(state, [o for o in states if o is not state], since)]
    assert {state.number for state in counted[-50:]} <= {state.number for state in stay}
    assert len(stay) <= 50 + 31
