"""A run that did not go well is given back to the builder."""

from __future__ import annotations

from services.gateway.model.exchanges import Heard, side_by_side
from services.gateway.model.words import say
from services.gateway.repository.changes import note_changes
from services.gateway.routes.agents import live_agent
from services.gateway.routes.answers import Answer, Api, ById, cause, deps, refusal, scope
from services.gateway.routes.connections import engine
from services.gateway.routes.once import made_id
from services.gateway.routes.tapes import tape_view
from shared.errors import Conflict, NotFound
from shared.events.conversation import MessageReceived
from shared.records.executor import Run
from shared.records.planner import Conversation
from shared.store.port import Tx, Where

api = Api("repairs")

_KINDS = frozenset({"manual", "scheduled", "triggered"})
_READ_ENTRIES = 40


class Repairing(Answer):
    conversation_id: str


@api.post("/runs/<string:id>/repair", Repairing, 202)
def post_run_repair(path: ById) -> Repairing:
    """The fix is shown in the agent's conversation and is live only when a person switches it on."""
    run = scope().get(deps().readers["executor"], "runs", path.id, Run)
    agent = live_agent(deps().store, run.agent_id)
    went_wrong = run.finished_at is not None and run.outcome == "not_delivered"
    if run.kind not in _KINDS or not went_wrong:
        raise refusal(Conflict, "nothing_to_repair")
    if engine(scope()) != "claude":
        raise refusal(Conflict, "repair_needs_model")
    conversation = scope().get(
        deps().readers["planner"], "conversations", agent.conversation_id, Conversation
    )
    message_id = made_id(deps(), "msg")
    exchanges = side_by_side(_heard(run), _heard(_last_good(run)))

    def ask(tx: Tx) -> None:
        tx.emit(
            MessageReceived(
                conversation_id=conversation.id,
                message_id=message_id,
                text=say("repair_asked", conversation.language),
                agent_id=agent.id,
                run_id=run.id,
                exchanges=exchanges,
                language=conversation.language,
                timezone=conversation.timezone,
            )
        )
        note_changes(tx, deps().now(), ("conversation", conversation.id))

    deps().store.transact(ask, cause=cause())
    return Repairing(conversation_id=conversation.id)


def _last_good(run: Run) -> Run | None:
    """The newest delivered run of the same agent."""
    where = Where("agent_id", "==", run.agent_id)
    return scope().newest(
        deps().readers["executor"],
        "runs",
        Run,
        where,
        order_by="requested_at",
        wanted=lambda one: one.kind in _KINDS and one.outcome == "delivered",
    )


def _heard(run: Run | None) -> list[Heard]:
    """Nothing where nothing was recorded."""
    try:
        items = tape_view(run, _READ_ENTRIES).items if run is not None else ()
    except NotFound:
        return []
    return [Heard(item.method, item.url, item.status, item.answer_text) for item in items]
