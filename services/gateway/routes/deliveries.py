"""What was sent, its receipts, the inbox, and notices."""

from __future__ import annotations

from typing import Literal

from services.gateway.repository.changes import note_changes
from services.gateway.repository.sending import SendJob
from services.gateway.repository.shapes import AGENTS, DELIVERIES, NOTICES
from services.gateway.routes.answers import Answer, Api, ById, Id, PageQuery, cause, deps, refusal, scope
from shared.bus.dispatch import add_claim
from shared.errors import Conflict
from shared.events.delivery import DeliveryRequested
from shared.ids import derived
from shared.records.gateway import Agent, Delivery, Notice
from shared.store.port import Tx, Where

api = Api("deliveries")


class DeliveryQuery(PageQuery):
    channel: Literal["inbox", "slack", "email"] | None = None


class DeliveryLine(Delivery):
    agent_name: str


class DeliveryList(Answer):
    items: tuple[DeliveryLine, ...]
    next_cursor: str | None


class NoticeList(Answer):
    items: tuple[Notice, ...]


@api.get("/deliveries", DeliveryList)
def list_deliveries(query: DeliveryQuery) -> DeliveryList:
    where = (Where("channel", "==", query.channel),) if query.channel else ()
    found, cursor = scope().page(
        deps().store, DELIVERIES, Delivery, *where, order_by="at", paging=query.paging()
    )
    names = {id: _agent_name(id) for id in {delivery.agent_id for delivery in found}}
    lines = (DeliveryLine.model_validate({**d.model_dump(), "agent_name": names[d.agent_id]}) for d in found)
    return DeliveryList(items=tuple(lines), next_cursor=cursor)


@api.post("/deliveries/<string:id>/resend", Id, 202)
def post_resend(path: ById) -> Id:
    """A person's own decision to send once more, after looking where it should have arrived."""

    def resend(tx: Tx) -> None:
        delivery = scope().get(tx, DELIVERIES, path.id, Delivery)
        if delivery.status not in ("failed", "unknown") or delivery.secret_id is None:
            raise refusal(Conflict, "not_unknown")
        job = SendJob(delivery_id=delivery.id, workspace_id=delivery.workspace_id, again=True)
        claim_id = derived("claim", delivery.id, delivery.settled_at or "", "again")
        add_claim(tx, claim_id, DeliveryRequested, job, deps().now())
        tx.put(DELIVERIES, delivery.id, delivery.but(status="sending").to_doc())
        note_changes(tx, deps().now(), ("delivery", delivery.id))

    deps().store.transact(resend, cause=cause())
    return Id(id=path.id)


@api.post("/deliveries/<string:id>/read", Id)
def post_delivery_read(path: ById) -> Id:
    def read(tx: Tx) -> None:
        delivery = scope().get(tx, DELIVERIES, path.id, Delivery)
        if delivery.read_at is None:
            tx.put(DELIVERIES, delivery.id, delivery.but(read_at=deps().now()).to_doc())

    deps().store.transact(read, cause=cause())
    return Id(id=path.id)


@api.get("/notices", NoticeList)
def list_notices() -> NoticeList:
    return NoticeList(items=tuple(scope().all(deps().store, NOTICES, Notice, order_by="at")))


@api.post("/notices/<string:id>/read", Id)
def post_notice_read(path: ById) -> Id:
    def read(tx: Tx) -> None:
        notice = scope().get(tx, NOTICES, path.id, Notice)
        if notice.read_at is None:
            tx.put(NOTICES, notice.id, notice.but(read_at=deps().now()).to_doc())
            note_changes(tx, deps().now(), ("notice", notice.id))

    deps().store.transact(read, cause=cause())
    return Id(id=path.id)


def _agent_name(agent_id: str) -> str:
    agent = scope().find(deps().store, AGENTS, agent_id, Agent)
    return agent.name if agent else ""
