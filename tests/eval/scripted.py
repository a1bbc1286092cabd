"""What stands in for a model where none is set: a few requests are answered well, all others are declined."""

from __future__ import annotations

from tests.eval.requests import Request
from tests.fakes.llm_script import Answer, Asked, Reply, Scripted
from tests.flows.dialogues import english, korean
from tests.flows.dialogues.telling import World

PLAYED = {
    "ko-three-shops": korean.three_shops,
    "ko-notices": korean.invented,
    "en-jobs": english.jobs,
    "en-retail-digest": english.digest,
}


def script_for(request: Request, world: World) -> tuple[Scripted, ...]:
    dialogue = PLAYED.get(request.id)
    return dialogue(world).replies if dialogue is not None else (Answer(_declined, always=True),)


def _declined(asked: Asked) -> Reply:
    return Reply(stop_reason="refusal")
