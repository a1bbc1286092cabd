"""Runs: asked for here, executed elsewhere, watched from the store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from flask import Response
from pydantic import Field

from services.gateway.model.documents import Request
from services.gateway.model.switching import live_choice
from services.gateway.repository.changes import note_changes
from services.gateway.repository.feeds import entries_after
from services.gateway.repository.shapes import AGENTS, DELIVERIES, REQUESTS
from services.gateway.routes.agents import live_agent, repository
from services.gateway.routes.answers import (
    Answer,
    Api,
    Body,
    ById,
    Id,
    PageQuery,
    cause,
    deps,
    person,
    refusal,
    scope,
)
from services.gateway.routes.downloads import link
from services.gateway.routes.live import frame, last_seen, live
from services.gateway.routes.once import made_id
from shared.clock import stamp
from shared.errors import BadRequest, Conflict, NotFound
from shared.events.run import RunCancelRequested, RunRequested
from shared.records.executor import Artifact, Run, RunEntry, RunFeed
from shared.records.gateway import Agent, Delivery
from shared.records.planner import Conversation
from shared.records.scheduler import Slot
from shared.store.port import Reader, Tx, Where

api = Api("runs")

# How long a run asked for by hand may wait for room before it is given up.
_QUEUE_LIMIT = timedelta(minutes=10)
_ENTRIES, _FEEDS = "run_entries", "run_feeds"
_OVER = frozenset({"succeeded", "failed", "cancelled", "timed_out", "refused"})


class RunInput(Body):
    """input: any JSON the code reads as agent.input."""

    input: Any = None


class RunList(Answer):
    items: tuple[Run, ...]
    next_cursor: str | None


class LogQuery(PageQuery):
    limit: int = Field(200, ge=1, le=200)


class LogList(Answer):
    """Only entries of kind log, oldest first."""

    items: tuple[RunEntry, ...]
    next_cursor: str | None


class ArtifactLink(Artifact):
    """Both work for ten minutes, without signing in, under another host name than the page. url: shown where
    a browser can show it without running anything of it, else saved; download_url: always saved."""

    url: str
    download_url: str


class ArtifactList(Answer):
    items: tuple[ArtifactLink, ...]


class ReceiptList(Answer):
    items: tuple[Delivery, ...]


@api.post("/agents/<string:id>/runs", Id, 202)
def post_run(path: ById, body: RunInput) -> Id:
    run_id = made_id(deps(), "run")

    def ask(tx: Tx) -> None:
        if tx.get(REQUESTS, run_id) is not None:
            return
        agent = live_agent(tx, path.id)
        if agent.quarantine is not None:
            raise refusal(Conflict, "quarantined")
        version_id, grant_id = _runnable(agent)
        limits = agent.agent_file.manifest.limits
        now = deps().clock.now()
        promised = Request(
            id=run_id,
            workspace_id=agent.workspace_id,
            kind="run",
            agent_id=agent.id,
            version_id=version_id,
            grant_id=grant_id,
            input=body.input,
            deadline_at=stamp(now + _QUEUE_LIMIT + timedelta(seconds=limits.wall_s)),
            at=stamp(now),
        )
        tx.create(REQUESTS, run_id, promised.to_doc())
        tx.emit(
            RunRequested(
                run_id=run_id,
                agent_id=agent.id,
                version_id=version_id,
                kind="manual",
                grant_id=grant_id,
                conversation_id=agent.conversation_id,
                input=body.input,
                tokens=agent.agent_file.manifest.tokens.per_run,
                tokens_per_day=agent.agent_file.manifest.tokens.per_day,
                deadline_at=promised.deadline_at,
                requested_at=promised.at,
            )
        )
        note_changes(tx, promised.at, ("run", run_id))

    deps().store.transact(ask, cause=cause())
    return Id(id=run_id)


@api.get("/agents/<string:id>/runs", RunList)
def list_runs(path: ById, query: PageQuery) -> RunList:
    """Without the replays by which the builder tries a repair, and without each run's `requests`."""
    agent = scope().get(deps().store, AGENTS, path.id, Agent, missing="no_agent")
    found, cursor = scope().page_of(
        _executor(),
        "runs",
        Run,
        Where("agent_id", "==", agent.id),
        order_by="requested_at",
        paging=query.paging(),
        wanted=lambda run: run.kind != "replay" or run.conversation_id is None,
    )
    return RunList(items=tuple(run.but(requests=()) for run in found), next_cursor=cursor)


@api.get("/runs/<string:id>", Run)
def get_run(path: ById) -> Run:
    return run_of(path.id)


@api.stream("/runs/<string:id>/events")
def stream_run(path: ById) -> Response:
    run_of(path.id)
    watch = deps().watch("executor", (f"runs/{path.id}", f"{_ENTRIES}/{path.id}"))
    return live(watch, _Tail(_executor(), path.id, last_seen()).poll)


@api.get("/runs/<string:id>/logs", LogList)
def list_logs(path: ById, query: LogQuery) -> LogList:
    run = run_of(path.id)
    if query.cursor and not (query.cursor.isascii() and query.cursor.isdigit()):
        raise refusal(BadRequest, "bad_cursor")
    found: list[RunEntry] = []
    for entry in entries_after(_executor(), _ENTRIES, run.id, RunEntry, int(query.cursor or 0)):
        if entry.kind != "log":
            continue
        if len(found) == query.limit:
            return LogList(items=tuple(found), next_cursor=str(found[-1].seq))
        found.append(entry)
    return LogList(items=tuple(found), next_cursor=None)


@api.get("/runs/<string:id>/artifacts", ArtifactList)
def list_artifacts(path: ById) -> ArtifactList:
    run = run_of(path.id)
    where = Where("run_id", "==", run.id)
    found = scope().all(_executor(), "artifacts", Artifact, where, order_by="at", descending=False)
    return ArtifactList(items=tuple(_linked(artifact) for artifact in found))


@api.get("/runs/<string:id>/receipts", ReceiptList)
def list_receipts(path: ById) -> ReceiptList:
    run = run_of(path.id)
    where = Where("run_id", "==", run.id)
    found = scope().all(deps().store, DELIVERIES, Delivery, where, order_by="at", descending=False)
    return ReceiptList(items=tuple(found))


@api.post("/runs/<string:id>/cancel", Id, 202)
def post_cancel(path: ById) -> Id:
    run = run_of(path.id)
    if run.status in _OVER:
        raise refusal(Conflict, "run_over")
    deps().store.transact(lambda tx: tx.emit(RunCancelRequested(run_id=run.id)), cause=cause())
    return Id(id=run.id)


class _Tail:
    """Where one screen is in one run."""

    def __init__(self, executor: Reader, run_id: str, seq: int) -> None:
        self._executor = executor
        self._id = run_id
        self._seq = seq
        self._feed = ""
        self._version = ""

    def poll(self) -> Iterator[str]:
        found = self._executor.get("runs", self._id)
        feed = self._executor.get(_FEEDS, self._id)
        if feed is not None and feed.version != self._feed:
            newest = RunFeed.from_doc(feed.data).next_seq - 1
            for entry in entries_after(self._executor, _ENTRIES, self._id, RunEntry, self._seq, newest):
                self._seq = entry.seq
                yield frame("entry", entry.model_dump_json(), entry.seq)
            if self._seq >= newest:
                self._feed = feed.version
        if found is not None and found.version != self._version:
            self._version = found.version
            yield frame("run", Run.from_doc(found.data).model_dump_json())


def _executor() -> Reader:
    return deps().readers["executor"]


def _runnable(agent: Agent) -> tuple[str, str]:
    """The live version, or before the first switching on the one whose rehearsal passed. Raises: Conflict."""
    if agent.version_id and agent.grant_id:
        return agent.version_id, agent.grant_id
    version = live_choice(repository().last_shown(agent), None, repository().versions(agent.id))
    grant = repository().grant_for(version)
    if grant is None:
        raise refusal(Conflict, "no_grant")
    return version.id, grant.id


def run_of(id: str) -> Run:
    """The executor's, or what somebody asked for while the executor has not seen it yet: a person, the
    planner for a rehearsal, the scheduler for a slot. Whoever shows an id has promised that it can be read."""
    found = scope().find(_executor(), "runs", id, Run)
    asked = found or _asked_by_person(id) or _asked_by_planner(id) or _asked_by_scheduler(id)
    if asked is None:
        raise refusal(NotFound, "not_found")
    return asked


def _asked_by_person(id: str) -> Run | None:
    promised = scope().find(deps().store, REQUESTS, id, Request)
    if promised is None or promised.kind != "run":
        return None
    return _queued(
        id,
        agent_id=promised.agent_id,
        version_id=promised.version_id,
        grant_id=promised.grant_id,
        kind=promised.run_kind,
        input=promised.input,
        requested_at=promised.at,
        deadline_at=promised.deadline_at,
    )


def _asked_by_planner(id: str) -> Run | None:
    where = Where("test_run_id", "==", id)
    planner = deps().readers["planner"]
    talks = scope().all(planner, "conversations", Conversation, where, order_by="updated_at", limit=1)
    if not talks:
        return None
    talk = talks[0]
    times = {"requested_at": talk.updated_at, "deadline_at": talk.updated_at}
    return _queued(id, agent_id=talk.agent_id, version_id=talk.version_id, kind="test", **times)


def _asked_by_scheduler(id: str) -> Run | None:
    slot = scope().find(deps().readers["scheduler"], "slots", id, Slot)
    if slot is None or slot.run_id != id:
        return None
    times = {"requested_at": slot.at, "deadline_at": slot.at}
    return _queued(id, agent_id=slot.agent_id, kind="scheduled", slot_at=slot.at, **times)


def _queued(id: str, **known: object) -> Run:
    data = {"version_id": "", **{key: value for key, value in known.items() if value is not None}}
    base = {"id": id, "workspace_id": scope().workspace_id, "agent_id": "", "status": "queued"}
    return Run.model_validate({**base, **data})


def _linked(artifact: Artifact) -> ArtifactLink:
    links = {
        "url": link(person().workspace_id, artifact.id, "inline"),
        "download_url": link(person().workspace_id, artifact.id, "attachment"),
    }
    return ArtifactLink.model_validate({**artifact.model_dump(), **links})
