"""Notices: one per matter, so a repeated or later fact about it changes the text and adds none."""

from __future__ import annotations

from services.gateway.model.documents import ChangeKind
from services.gateway.repository.changes import note_changes
from services.gateway.repository.shapes import NOTICES
from shared.ids import derived
from shared.records.gateway import Agent, Notice
from shared.store.port import Tx


def notice(
    tx: Tx,
    now: str,
    *,
    kind: str,
    agent: Agent | None,
    about: str,
    text: str,
    needs_decision: bool = False,
    also: tuple[tuple[ChangeKind, str], ...] = (),
) -> None:
    """Writes it and the feed's lines (`also` are further ones: the feed is written once per commit)."""
    notice_id = derived("note", about, "parked" if kind == "parked" else "end")
    written = Notice.model_validate(
        {
            "id": notice_id,
            "workspace_id": tx.cause.workspace_id,
            "kind": kind,
            "agent_id": agent.id if agent else None,
            "about": about,
            "text": text.strip(),
            "needs_decision": needs_decision,
            "at": now,
        }
    )
    tx.put(NOTICES, notice_id, written.to_doc())
    note_changes(tx, now, ("notice", notice_id), *also)
