"""Money that arrives for a run that is over goes straight back."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from services.executor import repository
from services.executor.deps import Deps
from services.executor.handlers.starts import claim_run_funded
from shared.clock import FakeClock, stamp
from shared.events.run import RunFunded
from shared.ids import SeededIds
from shared.records.executor import Run
from shared.store.port import Cause, Tx
from shared.store.sqlite import SqliteDatabases


@pytest.mark.parametrize("status", ["cancelled", "refused", "timed_out", "failed", "succeeded"])
def test_a_lease_is_closed_at_once_when_its_run_is_already_over(tmp_path: Path, status: Any) -> None:
    clock = FakeClock()
    databases = SqliteDatabases(tmp_path, clock, SeededIds())
    store = databases.own("executor")
    now = stamp(clock.now())
    run = Run(
        id="run_1",
        workspace_id="wsp_1",
        agent_id="agent_1",
        version_id="ver_1",
        kind="manual",
        status=status,
        requested_at=now,
        deadline_at=now,
    )
    event = RunFunded(run_id="run_1", lease_id="lease_1", tokens=10, expires_at=now)

    def late(tx: Tx) -> None:
        assert claim_run_funded(event, tx, cast("Deps", None)) is None

    cause = Cause("wsp_1", "service:ledger")
    store.transact(lambda tx: repository.save_run(tx, run), cause=cause)
    store.transact(late, cause=cause)

    assert [(e.type, e.data["lease_id"]) for e in store.outbox(10)] == [
        ("agentbuilder.usage.lease_closed.v1", "lease_1")
    ]
    databases.close()
