"""A slot whose agent is still at it: skipped, or in its place; a run that only waits for an answer is not at it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from services.executor import repository
from services.executor.attempts.admission import Admission
from services.executor.deps import Deps
from services.executor.handlers.requests import on_run_requested
from shared.clock import FakeClock, stamp
from shared.events.run import RunRequested
from shared.ids import SeededIds
from shared.records.executor import Run
from shared.store.port import Cause
from shared.store.sqlite import SqliteDatabases


@pytest.mark.parametrize(
    ("before", "overlap", "becomes", "slot"),
    [
        ("running", "skip", "running", "refused"),
        ("queued", "skip", "queued", "refused"),
        ("parked", "skip", "parked", "queued"),
        ("succeeded", "skip", "succeeded", "queued"),
        ("running", "queue", "running", "queued"),
        ("queued", "replace", "cancelled", "queued"),
        ("parked", "replace", "cancelled", "queued"),
    ],
)
def test_what_becomes_of_a_slot_follows_from_what_its_agent_is_at(
    tmp_path: Path, before: str, overlap: Any, becomes: str, slot: str
) -> None:
    clock = FakeClock()
    databases = SqliteDatabases(tmp_path, clock, SeededIds())
    store, now = databases.own("executor"), stamp(clock.now())
    version = {"agent_file": {"agent": {"language": "ko"}}}
    planner = SimpleNamespace(get=lambda *_: SimpleNamespace(data=version))
    attempts = SimpleNamespace(line=Admission(), is_live=lambda _: False)
    deps = cast("Deps", SimpleNamespace(now=lambda: now, planner=planner, attempts=attempts, clock=clock))
    given = {"workspace_id": "wsp_1", "agent_id": "agent_1", "version_id": "ver_1", "kind": "scheduled"}
    earlier = Run.model_validate(
        {"id": "run_0", **given, "status": before, "requested_at": now, "deadline_at": now}
    )
    event = RunRequested(
        run_id="run_1",
        agent_id="agent_1",
        version_id="ver_1",
        kind="scheduled",
        overlap=overlap,
        deadline_at=now,
        requested_at=now,
    )

    cause = Cause("wsp_1", "service:scheduler")
    store.transact(lambda tx: repository.save_run(tx, earlier), cause=cause)
    store.transact(lambda tx: on_run_requested(event, tx, deps), cause=cause)

    runs = repository.Runs(store)
    assert (runs.get("run_0").status, runs.get("run_1").status) == (becomes, slot)
    databases.close()
