"""Runs asked for, refused, cancelled, allowed."""

from __future__ import annotations

from datetime import timedelta

from services.executor import repository
from services.executor.deps import Deps
from services.executor.handlers.finishing import finish
from services.executor.model import Ending, may_move, sentence
from shared.agentfile.model import Language
from shared.clock import stamp
from shared.errors import NotYet
from shared.events.permission import PermissionDecided
from shared.events.run import RunCancelRequested, RunRefused, RunRequested
from shared.records.executor import Reason, Run
from shared.store.port import Tx

# How long an allowed run may wait for money and room: its own deadline may have passed while it asked.
_QUEUE_LIMIT = timedelta(minutes=15)


def on_run_requested(event: RunRequested, tx: Tx, deps: Deps) -> None:
    """Creates the run, `queued`. For a slot, the overlap policy decides here, where every run is known."""
    runs = repository.Runs(tx)
    if runs.find(event.run_id) is not None:
        return
    now = deps.now()
    run = Run(
        id=event.run_id,
        workspace_id=tx.cause.workspace_id,
        agent_id=event.agent_id,
        version_id=event.version_id,
        kind=event.kind,
        status="queued",
        conversation_id=event.conversation_id,
        grant_id=event.grant_id,
        slot_at=event.slot_at,
        input=event.input,
        allowed_writes=event.allowed_writes if event.kind == "test" else (),
        replay_of=event.replay_of if event.kind == "replay" else None,
        variation=event.variation if event.kind == "replay" else "",
        beside=event.beside if event.kind == "replay" else None,
        state_base=_recorded_base(runs, event),
        traceparent=tx.cause.traceparent,
        requested_at=event.requested_at,
        deadline_at=event.deadline_at,
    )
    repository.save_run(tx, run)
    if event.kind == "scheduled" and event.overlap != "queue":
        others = [
            other
            for other in runs.unfinished_of_agent(event.agent_id)
            if other.kind not in ("test", "replay")
        ]
        # A parked run holds nothing and may wait for its answer for three days: it is no reason to skip.
        if event.overlap == "skip" and any(other.status != "parked" for other in others):
            text = (
                "앞의 실행이 아직 끝나지 않아 건너뛰었어요.",
                "Skipped: the run before it is not finished yet.",
            )
            ending = Ending(
                "refused", "not_delivered", Reason(code="overlap", text=text[_index(tx, deps, run)])
            )
            finish(tx, run, ending, deps)
            return
        for other in others if event.overlap == "replace" else ():
            _cancel(other, tx, deps)
    repository.append(tx, run, [("status", {"status": "queued"})], now)


def _recorded_base(runs: repository.Runs, event: RunRequested) -> int | None:
    """A replay remembers what the run remembered that it plays again, whatever came later."""
    recorded = runs.find(event.replay_of) if event.kind == "replay" and event.replay_of else None
    return recorded.state_base if recorded and recorded.agent_id == event.agent_id else None


def on_run_refused(event: RunRefused, tx: Tx, deps: Deps) -> None:
    run = repository.Runs(tx).find(event.run_id)
    if run is None:
        raise NotYet("The run is not known yet.")
    if run.status == "queued" and run.lease_id is None:
        finish(tx, run, Ending("refused", "not_delivered", Reason(code="budget", text=event.reason)), deps)


def on_run_cancel_requested(event: RunCancelRequested, tx: Tx, deps: Deps) -> None:
    """Wins over everything unfinished; a running attempt is killed and its end finishes the run."""
    run = repository.Runs(tx).find(event.run_id)
    if run is None:
        raise NotYet("The run is not known yet.")
    _cancel(run, tx, deps)


def _cancel(run: Run, tx: Tx, deps: Deps) -> None:
    if not may_move(run, "cancelled"):
        return
    if run.attempt_id is not None and (
        deps.attempts.is_live(run.attempt_id) or deps.attempts.again.goes_on(run)
    ):
        deps.attempts.stop(run.attempt_id)
        return
    text = sentence("stopped", language_of(tx, deps, run))
    finish(tx, run, Ending("cancelled", "not_delivered", Reason(code="stopped", text=text)), deps)


def on_permission_decided(event: PermissionDecided, tx: Tx, deps: Deps) -> None:
    """Yes: the same run waits for money again, under the wider grant. No: it is refused."""
    run = repository.Runs(tx).find(event.run_id)
    request = repository.find_permission(tx, event.permission_request_id)
    if run is None or request is None:
        raise NotYet("The question is not known yet.")
    if request.status != "open":
        return
    decided = "allowed" if event.decision == "allow" else "denied"
    tx.put(repository.PERMISSIONS, request.id, request.but(status=decided).to_doc())
    if run.status != "parked":
        return
    if event.decision == "allow":
        run = run.but(
            status="queued",
            grant_id=event.grant_id,
            lease_id=None,
            reason=None,
            deadline_at=stamp(deps.clock.now() + _QUEUE_LIMIT),
        )
        repository.save_run(tx, run)
        repository.append(tx, run, [("status", {"status": "queued"})], deps.now())
        return
    text = ("허락하지 않아서 끝냈어요.", "It ended because permission was denied.")[_index(tx, deps, run)]
    finish(tx, run, Ending("refused", "not_delivered", Reason(code="denied", text=text)), deps)


def language_of(tx: Tx, deps: Deps, run: Run) -> Language:
    document = deps.planner.get("versions", run.version_id)
    language: Language = document.data["agent_file"]["agent"]["language"] if document else "ko"
    return language


def _index(tx: Tx, deps: Deps, run: Run) -> int:
    return 0 if language_of(tx, deps, run) == "ko" else 1
