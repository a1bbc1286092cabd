"""The workspace's feed of changes, numbered without gaps. The newest lines are kept."""

from __future__ import annotations

from services.gateway.model.documents import Change, ChangeFeed, ChangeKind
from services.gateway.repository.shapes import CHANGE_FEEDS, CHANGES
from shared.store.port import Reader, Tx

# Decision: a screen that missed more than this reloads. Whoever writes a new line takes old ones away, some at a time,
# so that nobody has to look for them by their time.
KEPT = 5000
_AT_ONCE = 100


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
    next_seq = feed.next_seq + len(changes)
    tx.put(CHANGE_FEEDS, workspace_id, feed.but(next_seq=next_seq).to_doc())
    if next_seq // _AT_ONCE > feed.next_seq // _AT_ONCE:
        over = next_seq // _AT_ONCE * _AT_ONCE - KEPT
        for seq in range(max(1, over - _AT_ONCE), over):
            tx.delete(CHANGES, _id(workspace_id, seq))


def newest_seq(reader: Reader, workspace_id: str) -> int:
    found = reader.get(CHANGE_FEEDS, workspace_id)
    return ChangeFeed.from_doc(found.data).next_seq - 1 if found else 0


def changes_after(reader: Reader, workspace_id: str, seq: int, limit: int) -> tuple[list[Change], int]:
    """At most `limit` of what is kept after `seq`, and the number up to which there is nothing else: `seq` itself
    when it is the newest."""
    newest = newest_seq(reader, workspace_id)
    first = max(seq, newest - KEPT - _AT_ONCE) + 1
    last = min(newest, first + limit - 1)
    found = (reader.get(CHANGES, _id(workspace_id, n)) for n in range(first, last + 1))
    return [Change.from_doc(document.data) for document in found if document], max(seq, last)


def _id(workspace_id: str, seq: int) -> str:
    return f"{workspace_id}-{seq:010d}"
