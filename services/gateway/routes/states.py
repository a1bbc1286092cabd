"""What an agent remembers: its versions, and the way back to one of them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from services.gateway.model.documents import Request
from services.gateway.model.words import say
from services.gateway.repository.changes import note_changes
from services.gateway.repository.shapes import REQUESTS
from services.gateway.routes.agents import live_agent
from services.gateway.routes.answers import Answer, Api, Body, ById, cause, deps, language, refusal, scope
from services.gateway.routes.once import made_id
from shared.errors import Conflict, NotFound
from shared.events.agent import StateRewindRequested
from shared.records.executor import StateHead, StateVersion
from shared.store.port import Tx, Where

api = Api("states")


class StateLine(Answer):
    """standing: promoted (it was or is current) · aside (of a run that ended after a rewind had overtaken it) ·
    candidate (its run's contract did not hold; kept for some days, cannot be rewound to)."""

    number: int
    run_id: str
    at: str
    size: int
    current: bool
    rewound_from: int | None
    standing: Literal["promoted", "aside", "candidate"]


class StateList(Answer):
    """Newest first. rewinding: the number somebody asked to go back to, until that is done. problem: why the
    last request to go back came to nothing; empty when it did not."""

    items: tuple[StateLine, ...]
    rewinding: int | None
    problem: str


class Rewind(Body):
    number: int = Field(ge=1)


class Rewinding(Answer):
    """id of the request; number: the version asked for."""

    id: str
    number: int


@api.get("/agents/<string:id>/state/versions", StateList)
def list_states(path: ById) -> StateList:
    agent = live_agent(deps().store, path.id)
    executor = deps().readers["executor"]
    # In this order: what is over, and what counts, is then among the versions that are read last.
    asked = _last_asked(agent.id)
    head = scope().find(executor, "state_heads", agent.id, StateHead)
    where = Where("agent_id", "==", agent.id)
    found = scope().all(executor, "states", StateVersion, where, order_by="number")
    current = head.current if head is not None else max((state.number for state in found), default=0)
    return StateList(
        items=tuple(_line(state, current) for state in found),
        rewinding=asked.input["number"] if asked is not None and not asked.over else None,
        problem=say(asked.text, language()) if asked is not None and asked.text else "",
    )


@api.post("/agents/<string:id>/state/rewind", Rewinding, 202)
def post_rewind(path: ById, body: Rewind) -> Rewinding:
    """Goes back without losing anything: the old content becomes a new version. Raises: NotFound, Conflict."""
    agent = live_agent(deps().store, path.id)
    executor = deps().readers["executor"]
    state = scope().find(executor, "states", f"{agent.id}-{body.number:06d}", StateVersion)
    if state is None:
        raise refusal(NotFound, "no_state")
    if state.standing == "candidate":
        raise refusal(Conflict, "state_candidate")
    rewind_id = made_id(deps(), "rewind")

    def ask(tx: Tx) -> None:
        if tx.get(REQUESTS, rewind_id) is not None:
            return
        asked = Request(
            id=rewind_id,
            workspace_id=agent.workspace_id,
            kind="rewind",
            agent_id=agent.id,
            input={"number": body.number},
            at=deps().now(),
        )
        tx.create(REQUESTS, asked.id, asked.to_doc())
        tx.emit(StateRewindRequested(agent_id=agent.id, rewind_id=rewind_id, number=body.number))
        note_changes(tx, asked.at, ("agent", agent.id))

    deps().store.transact(ask, cause=cause())
    return Rewinding(id=rewind_id, number=body.number)


def _last_asked(agent_id: str) -> Request | None:
    """Among the workspace's last requests of that kind; one that is further back is long over."""
    where = Where("kind", "==", "rewind")
    found = scope().all(deps().store, REQUESTS, Request, where, order_by="at", limit=20)
    return next((asked for asked in found if asked.agent_id == agent_id), None)


def _line(state: StateVersion, current: int) -> StateLine:
    shown = state.model_dump(include={"number", "run_id", "at", "size", "rewound_from", "standing"})
    return StateLine(current=state.number == current, **shown)
