"""A run is told that there is no room and, before that is written down, is called: it begins without a pause."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

from services.executor import repository
from services.executor.attempts.admission import Admission, Wish
from services.executor.deps import Deps
from services.executor.handlers.starts import StartJob, record_start
from shared.bus.workers import DUE
from shared.clock import FakeClock, stamp
from shared.ids import SeededIds
from shared.records.executor import EnvironmentRecord, Run
from shared.store.port import Cause
from shared.store.sqlite import SqliteDatabases

CAUSE = Cause("wsp_1", "user:one")


def test_it_has_a_claim_that_is_due_at_once(tmp_path: Path) -> None:
    clock, ids = FakeClock(), SeededIds()
    databases = SqliteDatabases(tmp_path, clock, ids)
    store, now = databases.own("executor"), stamp(clock.now())
    line = Admission(slots=1)
    planner = SimpleNamespace(
        get=lambda *_: SimpleNamespace(data={"agent_file": {"agent": {"language": "ko"}}})
    )
    attempts = SimpleNamespace(line=line)
    deps = cast(
        "Deps", SimpleNamespace(now=lambda: now, planner=planner, attempts=attempts, clock=clock, ids=ids)
    )
    run = Run(
        id="run_1",
        workspace_id="wsp_1",
        agent_id="agent_1",
        version_id="ver_1",
        kind="manual",
        status="queued",
        lease_id="lease_1",
        attempt=1,
        attempt_id="att_1",
        requested_at=now,
        deadline_at=now,
    )
    ready = EnvironmentRecord(id="env_1", workspace_id="wsp_1", status="ready", packages=(), at=now)
    store.transact(lambda tx: repository.save_run(tx, run), cause=CAUSE)
    store.transact(lambda tx: repository.save_environment(tx, ready), cause=CAUSE)
    store.transact(lambda tx: repository.link_environment(tx, "ver_1", "env_1", "wsp_1"), cause=CAUSE)
    assert line.enter("att_0", Wish("run_0", "wsp_0", 0)) == 0
    place = line.enter("att_1", Wish(run.id, run.workspace_id, 0))
    assert place == 1

    line.leave("att_0")
    store.transact(lambda tx: record_start(StartJob(run_id=run.id, attempt=1), place, tx, deps), cause=CAUSE)

    (claim,) = store.query(DUE)
    assert claim.data["due_at"] == now
    assert claim.data["job"] == {"run_id": "run_1", "attempt": 1}
    after = repository.Runs(store).get("run_1")
    assert (after.attempt, after.place) == (1, None)
    databases.close()
