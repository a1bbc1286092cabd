"""Agents: their cards, the switch, the schedule, versions, export and import."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from pydantic import Field

from services.gateway.model.approval import regranted
from services.gateway.model.documents import Request
from services.gateway.model.sending import headline
from services.gateway.model.switching import changed, different, live_choice, next_revision
from services.gateway.repository.agents import AgentRepository, CardFacts
from services.gateway.repository.changes import note_changes
from services.gateway.repository.shapes import AGENTS, GRANTS, NOTICES, REQUESTS
from services.gateway.routes.answers import (
    Answer,
    Api,
    Body,
    ById,
    cause,
    deps,
    language,
    person,
    problem,
    refusal,
    scope,
)
from services.gateway.routes.files import version_files
from services.gateway.routes.once import made_id
from shared.agentfile.bundle import pack, unpack
from shared.agentfile.model import Schedule
from shared.agentfile.schedule import check_schedule
from shared.agentfile.toml import parse
from shared.errors import BadRequest, Conflict, NotFound
from shared.events.conversation import MessageReceived
from shared.records.executor import Outcome, RunKind, RunStatus
from shared.records.gateway import Agent, Grant, Notice
from shared.records.planner import Version
from shared.store.port import Tx, Where

api = Api("agents")


class LastRun(Answer):
    id: str
    kind: RunKind
    status: RunStatus
    outcome: Outcome
    finished_at: str | None
    text: str


class Waiting(Answer):
    kind: str
    text: str
    about: str


class AgentCard(Agent):
    """schedule_words null: only by hand. next_at null: nothing due; next_firings begins with it."""

    schedule_words: str | None
    next_at: str | None
    next_firings: tuple[str, ...] = ()
    last_run: LastRun | None
    tokens_month: int
    waiting: tuple[Waiting, ...]


class AgentList(Answer):
    """waiting: how many things need the person, over all agents."""

    items: tuple[AgentCard, ...]
    waiting: int


class AgentChange(Body):
    """Absent: unchanged. schedule null: only by hand from now on. version: its id, to switch on that one.
    quarantine null: it may run again; it stays switched off unless `enabled` says otherwise. repairs_go_live: see
    the agent."""

    enabled: bool | None = None
    version: str | None = Field(None, max_length=200)
    name: str | None = Field(None, min_length=1, max_length=80)
    schedule: Schedule | None = None
    quarantine: None = None
    repairs_go_live: bool | None = None


class VersionList(Answer):
    items: tuple[Version, ...]


class Imported(Answer):
    conversation_id: str


@api.get("/agents", AgentList)
def list_agents() -> AgentList:
    agents = repository().all()
    facts = repository().facts(agents, deps().now())
    cards = tuple(_card(agent, facts[agent.id]) for agent in agents)
    return AgentList(items=cards, waiting=sum(len(card.waiting) for card in cards))


@api.get("/agents/<string:id>", AgentCard)
def get_agent(path: ById) -> AgentCard:
    return _one(path.id)


@api.patch("/agents/<string:id>", AgentCard)
def patch_agent(path: ById, body: AgentChange) -> AgentCard | Response:
    if body.schedule is not None:
        check_schedule(body.schedule, language(), deps().clock.now())

    def change(tx: Tx) -> None:
        agent = live_agent(tx, path.id)
        after = agent
        lifts = "quarantine" in body.model_fields_set and agent.quarantine is not None
        if lifts:
            after = after.but(quarantine=None)
        if body.enabled and after.quarantine is not None:
            raise refusal(Conflict, "quarantined")
        if body.name is not None:
            after = after.but(name=body.name.strip() or agent.name)
        if body.version is not None or body.enabled:
            after = _with_version(tx, after, body.version)
        if "schedule" in body.model_fields_set:
            after = _with_schedule(tx, after, body.schedule)
        switches = {"enabled": body.enabled, "repairs_go_live": body.repairs_go_live}
        after = after.but(**{name: on for name, on in switches.items() if on is not None})
        save_agent(tx, agent, after)
        if lifts:
            _answer_notice(tx, agent.id)

    try:
        deps().store.transact(change, cause=cause())
    except Conflict as error:
        if error.code != "newer_version":
            raise
        return problem(error, diff=_newer(path.id))
    return _one(path.id)


@api.delete("/agents/<string:id>")
def delete_agent(path: ById) -> None:
    """Its runs and deliveries stay readable; it never fires again."""

    def delete(tx: Tx) -> None:
        agent = live_agent(tx, path.id)
        save_agent(tx, agent, agent.but(enabled=False, deleted_at=deps().now()))

    deps().store.transact(delete, cause=cause())


@api.get("/agents/<string:id>/versions", VersionList)
def list_versions(path: ById) -> VersionList:
    agent = live_agent(deps().store, path.id)
    return VersionList(items=tuple(repository().versions(agent.id)))


@api.get(
    "/agents/<string:id>/export",
    {"description": "The agent as a zip.", "content": {"application/zip": {"schema": {"type": "string"}}}},
)
def export_agent(path: ById) -> Response:
    agent = live_agent(deps().store, path.id)
    versions = repository().versions(agent.id)
    chosen = agent.version_id or agent.shown_version_id or (versions[0].id if versions else None)
    if chosen is None:
        raise refusal(NotFound, "not_rehearsed")
    response = Response(pack(version_files(chosen)), content_type="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="{agent.id}.zip"'
    return response


@api.post("/agents/import", Imported, 202)
def import_agent() -> Imported:
    """A zip as the body, or as the form's `file`. It stands as a proposed plan, to be decided like any."""
    upload = request.files.get("file")
    data = upload.read() if upload is not None else request.get_data(cache=True)
    if not data:
        raise refusal(BadRequest, "bad_request")
    files = unpack(data, language())
    try:
        agent_file = parse(files["agent.toml"].decode("utf-8"), language())
    except UnicodeDecodeError as error:
        raise refusal(BadRequest, "not_text", {"agent.toml": "not UTF-8"}) from error
    conversation_id = made_id(deps(), "conv")
    key = f"gateway/uploads/{conversation_id}.zip"
    deps().blobs.put(key, pack(files))
    timezone = agent_file.schedule.timezone if agent_file.schedule else "Asia/Seoul"

    def begin(tx: Tx) -> None:
        if tx.get(REQUESTS, conversation_id) is not None:
            return
        promised = Request(
            id=conversation_id,
            workspace_id=scope().workspace_id,
            kind="conversation",
            text=agent_file.agent.name,
            language=agent_file.agent.language,
            timezone=timezone,
            imported=True,
            at=deps().now(),
        )
        tx.create(REQUESTS, promised.id, promised.to_doc())
        tx.emit(
            MessageReceived(
                conversation_id=conversation_id,
                message_id=deps().ids.new("msg"),
                import_key=key,
                language=promised.language,
                timezone=timezone,
            )
        )
        note_changes(tx, deps().now(), ("conversation", conversation_id))

    deps().store.transact(begin, cause=cause())
    return Imported(conversation_id=conversation_id)


def _answer_notice(tx: Tx, agent_id: str) -> None:
    """What asked the person to decide has been decided."""
    for notice in scope().all(tx, NOTICES, Notice, Where("about", "==", agent_id), order_by="at"):
        if notice.kind == "quarantine" and notice.read_at is None:
            tx.put(NOTICES, notice.id, notice.but(read_at=deps().now()).to_doc())


def repository() -> AgentRepository:
    return AgentRepository(scope(), deps().store, deps().readers)


def live_agent(reader: Any, id: str) -> Agent:
    """Raises: NotFound, also for a deleted one."""
    agent = scope().get(reader, AGENTS, id, Agent, missing="no_agent")
    if agent.deleted_at is not None:
        raise refusal(NotFound, "no_agent")
    return agent


def _with_version(tx: Tx, agent: Agent, named: str | None) -> Agent:
    """The version to make live and a grant that names it. A repair inside the same manifest needs no new
    yes: it gets a copy of the one that was given. Raises: Conflict."""
    shown = repository().last_shown(agent)
    if named is None and agent.version_id and shown in (None, agent.version_id):
        return agent
    version = live_choice(shown, named, repository().versions(agent.id))
    if version.id == agent.version_id:
        return agent
    grant = repository().grant_for(version)
    if grant is None:
        raise refusal(Conflict, "no_grant")
    if grant.version_id != version.id:
        grant = regranted(grant, version.agent_file, version.id, person().actor, deps().now())
        tx.create(GRANTS, grant.id, grant.to_doc())
    return agent.but(
        version_id=version.id,
        version_number=version.number,
        grant_id=grant.id,
        agent_file=grant.agent_file.model_copy(update={"agent": version.agent_file.agent}),
    )


def _with_schedule(tx: Tx, agent: Agent, schedule: Schedule | None) -> Agent:
    """A person's own edit is a yes of its own."""
    if schedule == agent.agent_file.schedule:
        return agent
    edited = agent.agent_file.model_copy(update={"schedule": schedule})
    if agent.grant_id is None:
        return agent.but(agent_file=edited)
    before = scope().get(tx, GRANTS, agent.grant_id, Grant)
    grant = regranted(before, edited, before.version_id, person().actor, deps().now())
    tx.create(GRANTS, grant.id, grant.to_doc())
    return agent.but(agent_file=edited, grant_id=grant.id)


def save_agent(tx: Tx, before: Agent, after: Agent) -> None:
    saved = after.but(updated_at=next_revision(before.updated_at, deps().now()))
    tx.put(AGENTS, saved.id, saved.to_doc())
    tx.emit(changed(saved))
    note_changes(tx, deps().now(), ("agent", saved.id))


def _newer(agent_id: str) -> dict[str, Any]:
    """How the newest passed version differs from the one that was shown."""
    agent = live_agent(deps().store, agent_id)
    passed = [version for version in repository().versions(agent_id) if version.status == "promoted"]
    newest = max(passed, key=lambda version: version.number or 0)
    shown = next((v for v in passed if v.id == agent.shown_version_id), None)
    old = shown.agent_file if shown else agent.agent_file
    return {
        "from": agent.shown_version_id,
        "to": newest.id,
        "number": newest.number,
        "parts": different(old, newest.agent_file),
    }


def _one(id: str) -> AgentCard:
    agent = live_agent(deps().store, id)
    return _card(agent, repository().facts([agent], deps().now())[agent.id])


def _card(agent: Agent, facts: CardFacts) -> AgentCard:
    run = facts.last_run
    last = None
    if run is not None:
        said = run.deliveries[0].text if run.deliveries else ""
        last = LastRun(
            id=run.id,
            kind=run.kind,
            status=run.status,
            outcome=run.outcome,
            finished_at=run.finished_at,
            text=run.reason.text if run.reason else headline(said),
        )
    return AgentCard.model_validate(
        {
            **agent.model_dump(),
            "schedule_words": facts.schedule_words,
            "next_at": facts.next_at,
            "next_firings": facts.next_firings,
            "last_run": last,
            "tokens_month": facts.tokens_month,
            "waiting": [Waiting(kind=kind, text=text, about=about) for kind, text, about in facts.waiting],
        }
    )
