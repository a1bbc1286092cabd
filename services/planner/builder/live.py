"""What the model is writing right now, in the store for everybody who watches, a few times a second."""

from __future__ import annotations

from collections.abc import Callable

from services.planner.ports import (
    LlmEvent,
    TextDelta,
    ThinkingDelta,
    ToolCallStarted,
    ToolInputDelta,
)
from shared.clock import Clock, stamp
from shared.records.planner import ConversationLive, LiveBlock
from shared.store.port import Cause, Store, Tx

LIVE = "conversation_live"
_MAX_CHARACTERS = 80_000  # of one block; a document holds 1 MB


class Halted(Exception):
    """The person pressed stop, or said something newer: nobody waits for this answer any more."""


class Live:
    """One answer while it is written. `hear` raises Halted when `halted` says so; it is asked at most every
    `every_s` seconds, as often as the store is written."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        workspace_id: str,
        conversation_id: str,
        turn: int,
        *,
        every_s: float,
        halted: Callable[[], bool],
    ) -> None:
        self._store = store
        self._clock = clock
        self._cause = Cause(workspace_id, "service:planner")
        self._id = conversation_id
        self._turn = turn
        self._every_s = every_s
        self._halted = halted
        self._blocks: dict[int, LiveBlock] = {}
        self._shown_at = clock.monotonic() - every_s
        self._fresh = False

    def hear(self, event: LlmEvent) -> None:
        match event:
            case TextDelta(index=index, text=text):
                self._grow(index, "text", text)
            case ThinkingDelta(index=index, text=text):
                self._grow(index, "thinking", text)
            case ToolCallStarted(index=index, name=name):
                self._blocks[index] = LiveBlock(kind="tool", name=name[:64], text="")
                self._fresh = True
            case ToolInputDelta(index=index, json=json):
                self._grow(index, "tool", json)
            case _:
                pass
        now = self._clock.monotonic()
        if now - self._shown_at >= self._every_s:
            self._shown_at = now
            if self._halted():
                raise Halted
            self.show()

    def show(self) -> None:
        """Write what has come since the last time."""
        if not self._fresh:
            return
        self._fresh = False
        blocks = tuple(block for _, block in sorted(self._blocks.items()))
        write(self._store, self._cause, self._id, self._turn, blocks, stamp(self._clock.now()))

    def _grow(self, index: int, kind: str, text: str) -> None:
        block = self._blocks.get(index) or LiveBlock.model_validate({"kind": kind, "name": "", "text": ""})
        room = _MAX_CHARACTERS - len(block.text)
        if text and room > 0:
            self._blocks[index] = block.model_copy(update={"text": block.text + text[:room]})
            self._fresh = True


def write(store: Store, cause: Cause, id: str, turn: int, blocks: tuple[LiveBlock, ...], at: str) -> None:
    def put(tx: Tx) -> None:
        live = ConversationLive(
            id=id, workspace_id=cause.workspace_id, turn=turn, blocks=blocks, done=False, updated_at=at
        )
        tx.put(LIVE, id, live.to_doc())

    store.transact(put, cause=cause)


def over(tx: Tx, conversation_id: str, turn: int, at: str) -> None:
    """The answer stands in the conversation now; whoever watches drops what was shown of it."""
    live = ConversationLive(
        id=conversation_id, workspace_id=tx.cause.workspace_id, turn=turn, blocks=(), done=True, updated_at=at
    )
    tx.put(LIVE, conversation_id, live.to_doc())
