"""What changed in the workspace, live."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response
from pydantic import BaseModel

from services.gateway.model.documents import ChangeKind
from services.gateway.repository.changes import changes_after, newest_seq
from services.gateway.repository.shapes import CHANGE_FEEDS, CHANGES
from services.gateway.routes.answers import Api, deps, scope
from services.gateway.routes.live import frame, last_seen, live
from shared.store.port import Reader

api = Api("events")

_BATCH = 500


class ChangeLine(BaseModel):
    kind: ChangeKind
    id: str
    seq: int


# Only ever sent inside a stream, which the description cannot see into; the page's types need it.
api.also_describe(ChangeLine)


@api.stream("/events")
def stream_changes() -> Response:
    """From now on, or from Last-Event-ID."""
    workspace_id = scope().workspace_id
    watch = deps().watch("gateway", (CHANGES, CHANGE_FEEDS))
    seq = last_seen(newest_seq(deps().store, workspace_id))
    return live(watch, _Tail(deps().store, workspace_id, seq).poll)


class _Tail:
    def __init__(self, store: Reader, workspace_id: str, seq: int) -> None:
        self._store = store
        self._workspace_id = workspace_id
        # A number this feed never gave (another installation's) would wait for ever: start from now.
        self._seq = min(seq, newest_seq(store, workspace_id))

    def poll(self) -> Iterator[str]:
        while True:
            before = self._seq
            found, self._seq = changes_after(self._store, self._workspace_id, before, _BATCH)
            for change in found:
                line = ChangeLine(kind=change.kind, id=change.about, seq=change.seq)
                yield frame("change", line.model_dump_json(), change.seq)
            if self._seq < before + _BATCH:
                return
