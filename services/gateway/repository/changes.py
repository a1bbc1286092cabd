"""The workspace's feed of changes, numbered without gaps."""

from __future__ import annotations

from services.gateway.model.documents import Change, ChangeFeed, ChangeKind
from services.gateway.repository.shapes import CHANGE_FEEDS, CHANGES
from shared.store.port import Reader, Tx


def note_changes(tx: Tx, at: str, *changes: tuple[ChangeKind, str]) -> None:
    """Once per commit: a commit does not see its own writes, so a second call would repeat numbers."""
    workspace_id = tx.cause.workspace_id
    found = tx.get(CHANGE_FEEDS, workspace_id)
    feed = (
        ChangeFeed.from_doc(found.data) if found else ChangeFeed(id=workspace_id, workspace_id=workspace_id)
    )
    for seq, (kind, about) in enumerate(changes, start=feed.next_seq):
        change = Change(
            id=_id(workspace_id, seq), workspace_id=workspace_id, seq=seq, kind=kind, about=about, at=at
        )
        tx.create(CHANGES, change.id, change.to_doc())
    tx.put(CHANGE_FEEDS, workspace_id, feed.but(next_seq=feed.next_seq + len(changes)).to_doc())


def newest_seq(reader: Reader, workspace_id: str) -> int:
    found = reader.get(CHANGE_FEEDS, workspace_id)
    return ChangeFeed.from_doc(found.data).next_seq - 1 if found else 0


def changes_after(reader: Reader, workspace_id: str, seq: int, limit: int) -> list[Change]:
    """From the first one kept after `seq`: old lines are swept away; a screen that missed them reloads."""
    newest = newest_seq(reader, workspace_id)
    found = (reader.get(CHANGES, _id(workspace_id, n)) for n in range(seq + 1, min(newest, seq + limit) + 1))
    return [Change.from_doc(document.data) for document in found if document]


def _id(workspace_id: str, seq: int) -> str:
    return f"{workspace_id}-{seq:010d}"
