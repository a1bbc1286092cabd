"""What the planner needs from outside."""

from __future__ import annotations

from typing import Protocol

from services.planner.recipes.talk import Step, TalkState


class Engine(Protocol):
    """Decides the next step of a conversation. `turn` may be called again with the same state after a
    death: it must cost at most one more turn and have no other effect."""

    name: str

    def turn(self, state: TalkState) -> Step: ...
