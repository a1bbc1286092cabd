"""The one way a run ends: status, feed, facts, in the caller's commit."""

from __future__ import annotations

from typing import Any

from services.executor import repository
from services.executor.deps import Deps
from services.executor.model import Ending, may_move
from shared.events.run import RunFinished, RunSettled
from shared.records.executor import Run
from shared.store.port import Tx


def finish(
    tx: Tx, run: Run, ending: Ending, deps: Deps, entries: list[tuple[str, dict[str, Any]]] | None = None
) -> Run:
    """Saves the ended run, emits run_finished and, when nothing is left to deliver, run_settled. A run that
    may not move to that status is left as it is."""
    if not may_move(run, ending.status):
        return run
    deps.attempts.line.forget(run.id)
    now = deps.now()
    waiting = sum(1 for delivery in run.deliveries if delivery.status == "requested")
    settled = ending.outcome != "pending" or waiting == 0
    run = run.but(
        status=ending.status,
        outcome=ending.outcome,
        reason=ending.reason,
        finished_at=now,
        settled_at=now if settled else None,
    )
    repository.save_run(tx, run)
    status: dict[str, Any] = {"status": run.status, "outcome": run.outcome}
    if ending.reason is not None:
        status["reason"] = ending.reason.text
    repository.append(tx, run, [*(entries or []), ("status", status)], now)
    tx.emit(
        RunFinished(
            run_id=run.id,
            agent_id=run.agent_id,
            version_id=run.version_id,
            kind=run.kind,
            conversation_id=run.conversation_id,
            status=run.status,
            outcome=run.outcome,
            reason_code=ending.reason.code if ending.reason else "",
            reason_text=ending.reason.text if ending.reason else "",
            deliveries=waiting,
            lease_id=run.lease_id,
            wall_ms=run.usage.wall_ms,
            cpu_ms=run.usage.cpu_ms,
        ),
        cause=repository.cause_for(tx, run),
    )
    if settled:
        emit_settled(tx, run)
    return run


def emit_settled(tx: Tx, run: Run) -> None:
    tx.emit(
        RunSettled(
            run_id=run.id,
            agent_id=run.agent_id,
            kind=run.kind,
            status=run.status,
            outcome=run.outcome,
            text=run.reason.text if run.reason else "",
        ),
        cause=repository.cause_for(tx, run),
    )
