"""What one screen has not yet seen of the answer a model is writing. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict

from shared.records.planner import ConversationLive


class LiveFrame(BaseModel):
    """A piece of one block, or with `done` the end of the turn: then the other fields are empty, and what the turn
    came to stands in the entries.

    at: how many characters (code points) of the block come before `text`. Block 0 at 0 begins an answer: whatever is
    shown of another one, also of the same turn, is dropped.
    """

    model_config = ConfigDict(frozen=True)

    turn: int
    block: int = 0
    kind: Literal["text", "thinking", "tool"] = "text"
    name: str = ""
    at: int = 0
    text: str = ""
    done: bool = False


class LiveView:
    """Where one screen is in the turns of one conversation. It starts with nothing, also after a reconnect: then
    it is sent the turn under way from its beginning."""

    def __init__(self) -> None:
        self._turn = 0
        self._sent: list[int] = []
        self._done = True

    def frames(self, live: ConversationLive) -> Iterator[LiveFrame]:
        """What was added since the last call."""
        if live.turn != self._turn or (self._done and not live.done) or self._began_anew(live):
            self._turn, self._sent, self._done = live.turn, [], False
        if live.done:
            if not self._done:
                self._done = True
                yield LiveFrame(turn=live.turn, done=True)
            return
        for index, block in enumerate(live.blocks):
            fresh = index == len(self._sent)
            at = 0 if fresh else self._sent[index]
            if fresh:
                self._sent.append(0)
            if fresh or len(block.text) > at:
                self._sent[index] = len(block.text)
                yield LiveFrame(
                    turn=live.turn, block=index, kind=block.kind, name=block.name, at=at, text=block.text[at:]
                )

    def _began_anew(self, live: ConversationLive) -> bool:
        """The same turn is asked again after its connection broke: blocks are fewer or shorter than they were."""
        if live.done:
            return False
        lengths = [len(block.text) for block in live.blocks]
        return len(lengths) < len(self._sent) or any(
            now < sent for now, sent in zip(lengths, self._sent, strict=False)
        )
