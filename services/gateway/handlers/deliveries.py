"""Sends what a run whose contract held wants sent, once, and keeps the receipt.

A message cut between sending and recording ends "unknown" and asks a person; it is never sent again blindly.
"""

from __future__ import annotations

from services.gateway.deps import Deps
from services.gateway.handlers.notices import notice
from services.gateway.model.redaction import own_host
from services.gateway.model.sending import SendOutcome
from services.gateway.model.words import say
from services.gateway.repository.changes import note_changes
from services.gateway.repository.scope import Readable, Scope
from services.gateway.repository.secrets import SecretRepository
from services.gateway.repository.sending import SendJob
from services.gateway.repository.shapes import AGENTS, DELIVERIES, GRANTS, SECRETS
from shared.bus.dispatch import Cut, Failed
from shared.errors import BadRequest, NotAllowed, NotFound
from shared.events.delivery import DeliveryRequested, DeliverySettled
from shared.records.gateway import Agent, Delivery, Grant, Secret
from shared.store.port import Tx

# A document has room for this much; more is in the run's files.
_TEXT_LIMIT = 200_000


def claim_delivery(event: DeliveryRequested, tx: Tx, deps: Deps) -> SendJob | None:
    own = Scope(tx.cause.workspace_id)
    if tx.get(DELIVERIES, event.delivery_id) is not None:
        return None
    delivery = Delivery(
        id=event.delivery_id,
        workspace_id=own.workspace_id,
        run_id=event.run_id,
        agent_id=event.agent_id,
        channel=event.channel,
        secret_id=_channel_secret(own, tx, event) if event.channel == "slack" else None,
        title=event.title,
        text=event.text[:_TEXT_LIMIT],
        files=event.files,
        status="sending",
        at=deps.now(),
    )
    if event.channel == "inbox" and event.text_key is None:
        _settle(tx, deps, delivery, SendOutcome(status="sent", host="inbox"))
        return None
    if event.channel == "email" or (event.channel == "slack" and delivery.secret_id is None):
        code = "send_no_channel" if event.channel == "email" else "send_no_address"
        refused = SendOutcome(status="failed", detail=say(code, _language(own, tx, event.agent_id)))
        _settle(tx, deps, delivery, refused)
        return None
    tx.create(DELIVERIES, delivery.id, delivery.to_doc())
    return SendJob(delivery_id=delivery.id, workspace_id=own.workspace_id, text_key=event.text_key)


def do_delivery(job: SendJob, deps: Deps) -> SendOutcome:
    """Raises: Unavailable when nothing was accepted and a later try may help."""
    own = Scope(job.workspace_id)
    delivery = own.get(deps.store, DELIVERIES, job.delivery_id, Delivery)
    text = deps.blobs.get(job.text_key).decode("utf-8", "replace") if job.text_key else delivery.text
    if delivery.channel == "inbox":
        return SendOutcome(status="sent", host="inbox", text=text[:_TEXT_LIMIT])
    language = _language(own, deps.store, delivery.agent_id)
    secret = own.find(deps.store, SECRETS, delivery.secret_id or "", Secret)
    if secret is None:
        return SendOutcome(status="failed", detail=say("send_no_address", language))
    try:
        url = deps.vault.reveal(deps.store, own.workspace_id, secret.id, secret.host)
    except (NotFound, NotAllowed):
        return SendOutcome(status="failed", detail=say("send_no_address", language))
    if own_host(url) != secret.host:
        raise BadRequest(say("send_no_address", language), code="secret_other_host")
    status, detail = deps.webhook.send(url, text, language)
    return SendOutcome(status=status, detail=detail, host=secret.host, used=True)


def record_delivery(job: SendJob, outcome: SendOutcome | Failed | Cut, tx: Tx, deps: Deps) -> None:
    own = Scope(job.workspace_id)
    delivery = own.get(tx, DELIVERIES, job.delivery_id, Delivery)
    if delivery.status != "sending":
        return
    if isinstance(outcome, Cut):
        detail = say("send_cut", _language(own, tx, delivery.agent_id))
        outcome = SendOutcome(status="unknown", detail=detail, used=True)
    elif isinstance(outcome, Failed):
        outcome = SendOutcome(status="failed", detail=outcome.detail, used=True)
    if outcome.used and delivery.secret_id:
        vault = SecretRepository(own, deps.vault, deps.ids, deps.now())
        vault.used(tx, delivery.secret_id, outcome.host, used_for=delivery.id)
    _settle(tx, deps, delivery, outcome)


def _settle(tx: Tx, deps: Deps, delivery: Delivery, outcome: SendOutcome) -> None:
    now = deps.now()
    receipt = {"at": now, "to": outcome.host} if outcome.status == "sent" else {}
    settled = delivery.but(
        status=outcome.status,
        detail=outcome.detail,
        receipt=receipt,
        settled_at=now,
        text=outcome.text if outcome.text is not None else delivery.text,
    )
    tx.put(DELIVERIES, settled.id, settled.to_doc())
    tx.emit(
        DeliverySettled(
            delivery_id=settled.id, run_id=settled.run_id, status=outcome.status, detail=outcome.detail
        )
    )
    if outcome.status == "sent":
        note_changes(tx, now, ("delivery", settled.id))
        return
    agent = Scope(settled.workspace_id).find(tx, AGENTS, settled.agent_id, Agent)
    code = "notice_unknown" if outcome.status == "unknown" else "notice_delivery_failed"
    notice(
        tx,
        now,
        kind="unknown_delivery" if outcome.status == "unknown" else "not_delivered",
        agent=agent,
        about=settled.id,
        text=say(
            code, agent.language if agent else "ko", name=agent.name if agent else "", why=outcome.detail
        ),
        needs_decision=outcome.status == "unknown",
        also=(("delivery", settled.id),),
    )


def _channel_secret(own: Scope, tx: Tx, event: DeliveryRequested) -> str | None:
    """The vault entry the person bound to this channel; None when there is no such grant or entry."""
    grant = own.find(tx, GRANTS, event.grant_id, Grant) if event.grant_id else None
    if grant is None or grant.agent_id != event.agent_id:
        return None
    names = [c.secret for c in grant.agent_file.manifest.channels if c.kind == "slack" and c.secret]
    return next((grant.secrets[name] for name in names if name in grant.secrets), None)


def _language(own: Scope, reader: Readable, agent_id: str) -> str:
    agent = own.find(reader, AGENTS, agent_id, Agent)
    return agent.language if agent else "ko"
