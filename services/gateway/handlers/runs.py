"""Facts about runs, as far as a person should know of them."""

from __future__ import annotations

from services.gateway.deps import Deps
from services.gateway.handlers.notices import notice
from services.gateway.model.words import say
from services.gateway.repository.changes import note_changes
from services.gateway.repository.scope import Scope
from services.gateway.repository.shapes import AGENTS
from shared.events.run import RunFinished, RunParked, RunSettled, RunStarted
from shared.records.gateway import Agent
from shared.store.port import Tx

_UNFINISHED = frozenset({"failed", "timed_out", "refused"})
_UNPROVEN = {"not_delivered": "notice_not_delivered", "doubtful": "notice_doubtful"}
# The person watches a rehearsal or a replay in the studio; a notice would say it twice.
_WATCHED = frozenset({"test", "replay"})


def on_run_started(event: RunStarted, tx: Tx, deps: Deps) -> None:
    note_changes(tx, deps.now(), ("run", event.run_id), ("agent", event.agent_id))


def on_run_parked(event: RunParked, tx: Tx, deps: Deps) -> None:
    notice(
        tx,
        deps.now(),
        kind="parked",
        agent=_agent(tx, event.agent_id),
        about=event.run_id,
        text=event.sentence,
        needs_decision=True,
        also=(("run", event.run_id), ("agent", event.agent_id)),
    )


def on_run_finished(event: RunFinished, tx: Tx, deps: Deps) -> None:
    """A run that did not end well says so at once; how its deliveries went is `run_settled`'s."""
    if event.kind not in _WATCHED and event.reason_code != "decoy":  # the quarantine has a notice of its own
        if event.status in _UNFINISHED:
            code, why = "notice_failed", event.reason_text
            decide = event.reason_code == "wrote_then_lost"
            _tell(tx, deps, event.run_id, event.agent_id, "failed", code, why, needs_decision=decide)
            return
        if event.deliveries == 0 and event.outcome in _UNPROVEN:
            code = _UNPROVEN[event.outcome]
            _tell(tx, deps, event.run_id, event.agent_id, event.outcome, code, event.reason_text)
            return
    if event.deliveries:  # else `run_settled` was emitted with it
        note_changes(tx, deps.now(), ("run", event.run_id), ("agent", event.agent_id))


def on_run_settled(event: RunSettled, tx: Tx, deps: Deps) -> None:
    if event.kind not in _WATCHED and event.status == "succeeded" and event.outcome in _UNPROVEN:
        _tell(tx, deps, event.run_id, event.agent_id, event.outcome, _UNPROVEN[event.outcome], event.text)
        return
    note_changes(tx, deps.now(), ("run", event.run_id), ("agent", event.agent_id))


def _tell(
    tx: Tx,
    deps: Deps,
    run_id: str,
    agent_id: str,
    kind: str,
    code: str,
    why: str,
    *,
    needs_decision: bool = False,
) -> None:
    agent = _agent(tx, agent_id)
    text = say(code, agent.language if agent else "ko", name=agent.name if agent else "", why=why)
    notice(
        tx,
        deps.now(),
        kind=kind,
        agent=agent,
        about=run_id,
        text=text,
        needs_decision=needs_decision,
        also=(("run", run_id), ("agent", agent_id)),
    )


def _agent(tx: Tx, agent_id: str) -> Agent | None:
    return Scope(tx.cause.workspace_id).find(tx, AGENTS, agent_id, Agent)
