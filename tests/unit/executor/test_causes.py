"""Whose an event about a run is, and in which trace, when something else brought it about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.executor import repository
from shared.clock import FakeClock
from shared.events.run import RunSettled
from shared.ids import SeededIds
from shared.records.executor import Run
from shared.store.port import Cause, Tx
from shared.store.sqlite import SqliteDatabases, SqliteStore

OWN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
LATER = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"
OTHER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
AT = "2026-01-05T00:00:00.000000Z"
RUN = Run(
    id="run_1",
    workspace_id="wsp_one",
    agent_id="agent_1",
    version_id="ver_1",
    kind="manual",
    status="queued",
    traceparent=OWN,
    requested_at=AT,
    deadline_at=AT,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    databases = SqliteDatabases(tmp_path, FakeClock(), SeededIds())
    yield databases.own("executor")
    databases.close()


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (Cause("wsp_one", "user:one", LATER), ("wsp_one", "user:one", LATER)),
        (Cause("wsp_one", "user:one", OTHER), ("wsp_one", "user:one", OWN)),
        (Cause("wsp_two", "agent:other", OTHER), ("wsp_one", "agent:agent_1", OWN)),
        (Cause("", "service:clock", ""), ("wsp_one", "agent:agent_1", OWN)),
    ],
    ids=["its own trace", "a person's later request", "another workspace's run", "a tick"],
)
def test_what_becomes_of_a_run_is_its_own(
    store: SqliteStore, by: Cause, expected: tuple[str, str, str]
) -> None:
    def settle(tx: Tx) -> None:
        event = RunSettled(
            run_id=RUN.id, agent_id="agent_1", kind="manual", status="failed", outcome="not_delivered"
        )
        tx.emit(event, cause=repository.cause_for(tx, RUN))

    store.transact(settle, cause=by)
    (envelope,) = store.outbox(10)
    assert (envelope.workspace_id, envelope.actor, envelope.traceparent) == expected
