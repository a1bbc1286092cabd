"""A rehearsal passed and was shown: that version is what the switch makes live, or a repair makes live by itself."""

from __future__ import annotations

from services.gateway.deps import Deps
from services.gateway.handlers.notices import notice
from services.gateway.model.approval import regranted
from services.gateway.model.documents import ChangeKind
from services.gateway.model.switching import changed, goes_live, next_revision
from services.gateway.model.words import say
from services.gateway.repository.changes import note_changes
from services.gateway.repository.scope import Scope
from services.gateway.repository.shapes import AGENTS, GRANTS
from shared.errors import NotYet
from shared.events.plan import VersionReady
from shared.records.gateway import Agent, Grant
from shared.records.planner import Version
from shared.store.port import Tx


def on_version_ready(event: VersionReady, tx: Tx, deps: Deps) -> None:
    """Raises: NotYet while the agent's own document is on its way."""
    own = Scope(tx.cause.workspace_id)
    agent = own.find(tx, AGENTS, event.agent_id, Agent)
    if agent is None:
        raise NotYet(f"agent {event.agent_id} is not known yet")
    if agent.shown_version_id:
        shown = own.find(deps.readers["planner"], "versions", agent.shown_version_id, Version)
        if shown is not None and (shown.number or 0) >= event.number:
            return
    shown_now = agent.but(shown_version_id=event.version_id)
    version = own.find(deps.readers["planner"], "versions", event.version_id, Version)
    if event.repair == "sure" and version is not None and goes_live(agent, version):
        _live(event, shown_now, version, own, tx, deps)
        return
    # updated_at is the revision others order agent.changed by; this is no such change.
    tx.put(AGENTS, agent.id, shown_now.to_doc())
    note_changes(tx, deps.now(), ("agent", agent.id), ("conversation", event.conversation_id))


def _live(event: VersionReady, agent: Agent, version: Version, own: Scope, tx: Tx, deps: Deps) -> None:
    """Under the yes that was given, which names it from now on. Never in silence: noticed, and told in its
    conversation."""
    now = deps.now()
    before = own.get(tx, GRANTS, agent.grant_id or "", Grant)
    grant = regranted(before, agent.agent_file, version.id, before.by, now)
    tx.create(GRANTS, grant.id, grant.to_doc())
    live = agent.but(
        version_id=version.id,
        version_number=version.number,
        grant_id=grant.id,
        updated_at=next_revision(agent.updated_at, now),
    )
    tx.put(AGENTS, live.id, live.to_doc())
    tx.emit(changed(live, by_repair=True))
    text = say("notice_repaired", live.language, name=live.name, number=event.number)
    also: tuple[tuple[ChangeKind, str], ...] = (("agent", live.id), ("conversation", event.conversation_id))
    notice(tx, now, kind="repaired", agent=live, about=event.run_id, text=text, also=also)
