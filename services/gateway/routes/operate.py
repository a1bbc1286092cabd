"""For whoever runs the installation: events that could not be handled."""

from __future__ import annotations

from services.gateway.routes.answers import Answer, Api, ById, Id, deps, person, refusal
from shared.bus.port import DeadLetter
from shared.errors import NotFound

api = Api("dead-letters")


class DeadLetterLine(Answer):
    """What was refused, by whom and why; the event's data stays inside."""

    id: str
    service: str
    reason: str
    at: str
    type: str
    subject: str


class DeadLetterList(Answer):
    items: tuple[DeadLetterLine, ...]


@api.get("/dead-letters", DeadLetterList)
def list_dead_letters() -> DeadLetterList:
    return DeadLetterList(items=tuple(_line(letter) for letter in _mine()))


@api.post("/dead-letters/<string:id>/replay", Id, 202)
def post_replay(path: ById) -> Id:
    if path.id not in {letter.id for letter in _mine()}:
        raise refusal(NotFound, "not_found")
    deps().bus.replay(path.id)
    return Id(id=path.id)


def _mine() -> list[DeadLetter]:
    """The clock's events belong to nobody's workspace, and to the operator like everything else here."""
    letters = deps().bus.dead_letters(500)
    return [letter for letter in letters if letter.envelope.workspace_id in ("", person().workspace_id)]


def _line(letter: DeadLetter) -> DeadLetterLine:
    return DeadLetterLine(
        id=letter.id,
        service=letter.service,
        reason=letter.reason[:500],
        at=letter.at,
        type=letter.envelope.type,
        subject=letter.envelope.subject,
    )
