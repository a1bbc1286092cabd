"""An agent's code tried to pass on a decoy: the agent stands still until a person says otherwise."""

from __future__ import annotations

from services.gateway.deps import Deps
from services.gateway.handlers.notices import notice
from services.gateway.model.switching import changed, next_revision
from services.gateway.model.words import say
from services.gateway.repository.scope import Scope
from services.gateway.repository.shapes import AGENTS
from shared.errors import NotYet
from shared.events.agent import AgentQuarantined
from shared.records.gateway import Agent, Quarantine
from shared.store.port import Tx


def on_agent_quarantined(event: AgentQuarantined, tx: Tx, deps: Deps) -> None:
    """Switched off for everybody who keeps time or books by it. Raises: NotYet while the agent's own document
    is on its way."""
    agent = Scope(tx.cause.workspace_id).find(tx, AGENTS, event.agent_id, Agent)
    if agent is None:
        raise NotYet(f"agent {event.agent_id} is not known yet")
    if agent.deleted_at is not None or agent.quarantine is not None:
        return
    now = deps.now()
    held = agent.but(
        enabled=False,
        quarantine=Quarantine(at=now, run_id=event.run_id, text=event.text),
        updated_at=next_revision(agent.updated_at, now),
    )
    tx.put(AGENTS, held.id, held.to_doc())
    tx.emit(changed(held))
    text = say("notice_quarantine", agent.language, name=agent.name, why=event.text)
    about = {"about": agent.id, "also": (("agent", agent.id), ("run", event.run_id))}
    notice(tx, now, kind="quarantine", agent=held, text=text, needs_decision=True, **about)  # type: ignore[arg-type]
