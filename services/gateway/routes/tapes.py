"""What was recorded of a run, to be looked at and to be played again."""

from __future__ import annotations

import zlib
from datetime import timedelta

from pydantic import Field

from services.gateway.model.documents import Request
from services.gateway.repository.changes import note_changes
from services.gateway.repository.shapes import REQUESTS
from services.gateway.routes.agents import live_agent, repository
from services.gateway.routes.answers import Answer, Api, Body, ById, Id, cause, deps, refusal, scope
from services.gateway.routes.once import made_id
from shared.clock import stamp
from shared.errors import Conflict, DecodeError, NotFound
from shared.events.run import RunRequested
from shared.records.executor import Run
from shared.records.gateway import Agent
from shared.records.planner import Version
from shared.records.tapes import TapeEntry, TapeKeyRecord, TapeRecord
from shared.store.port import Tx, Where
from shared.vault.tapes import TapeKey, read_body, read_tape

api = Api("tapes")

_QUEUE_LIMIT = timedelta(minutes=10)  # a person is watching
_OVER = frozenset({"succeeded", "failed", "cancelled", "timed_out", "refused"})
_SHOWN_ENTRIES = 500
_SHOWN_BYTES = 20_000  # of one body
_TEXTUAL = ("text/", "json", "xml", "javascript", "x-www-form-urlencoded")


class ReplayChoice(Body):
    """version: id of another version of the agent; absent: the one that ran."""

    version: str | None = Field(None, max_length=200)


class TapeItem(Answer):
    """One exchange as the code saw it: secrets are placeholders. The texts are cut; null: none, or no text."""

    n: int
    method: str
    url: str
    status: int
    verdict: str
    reason: str
    bytes_in: int
    bytes_out: int
    content_type: str
    request_text: str | None
    answer_text: str | None


class TapeView(Answer):
    """complete false: something was too large to record. kept: headers when no bodies were kept."""

    items: tuple[TapeItem, ...]
    kept: str
    complete: bool
    at: str
    expires_at: str


@api.get("/runs/<string:id>/tape", TapeView)
def get_tape(path: ById) -> TapeView:
    return tape_view(_run(path.id), _SHOWN_ENTRIES)


def tape_view(run: Run, most: int) -> TapeView:
    """Raises: NotFound."""
    record = _tape(run)
    try:
        key = _key(record)
        content = read_tape(record, deps().blobs, key)
        items = tuple(_item(entry, record, key) for entry in content.entries[:most])
    except (NotFound, DecodeError) as error:
        raise refusal(NotFound, "no_tape") from error
    return TapeView(
        items=items,
        kept=record.setting,
        complete=record.complete and len(content.entries) <= most,
        at=record.at,
        expires_at=record.expires_at,
    )


@api.post("/runs/<string:id>/replay", Id, 202)
def post_run_replay(path: ById, body: ReplayChoice) -> Id:
    """Runs a version on what was recorded: no network, no tokens, nothing is sent, nothing is remembered. The
    run's `same` and `differences` say what it did otherwise."""
    run = _run(path.id)
    if run.status not in _OVER:
        raise refusal(Conflict, "run_not_over")
    if _tape(run).setting != "full":
        raise refusal(NotFound, "no_tape")
    run_id = made_id(deps(), "run")

    def ask(tx: Tx) -> None:
        if tx.get(REQUESTS, run_id) is not None:
            return
        agent = live_agent(tx, run.agent_id)
        version = _version(agent, body.version or run.version_id)
        grant = repository().grant_for(version)
        if grant is None:
            raise refusal(Conflict, "no_grant")
        _request(tx, run, agent, run_id, version.id, grant.id)

    deps().store.transact(ask, cause=cause())
    return Id(id=run_id)


def _request(tx: Tx, run: Run, agent: Agent, run_id: str, version_id: str, grant_id: str) -> None:
    now = deps().clock.now()
    wall = timedelta(seconds=agent.agent_file.manifest.limits.wall_s)
    promised = Request(
        id=run_id,
        workspace_id=agent.workspace_id,
        kind="run",
        run_kind="replay",
        agent_id=agent.id,
        version_id=version_id,
        grant_id=grant_id,
        input=run.input,
        deadline_at=stamp(now + _QUEUE_LIMIT + wall),
        at=stamp(now),
    )
    tx.create(REQUESTS, run_id, promised.to_doc())
    tx.emit(
        RunRequested(
            run_id=run_id,
            agent_id=agent.id,
            version_id=version_id,
            kind="replay",
            grant_id=grant_id,
            input=run.input,
            replay_of=run.id,
            deadline_at=promised.deadline_at,
            requested_at=promised.at,
        )
    )
    note_changes(tx, promised.at, ("run", run_id))


def _run(id: str) -> Run:
    return scope().get(deps().readers["executor"], "runs", id, Run)


def _version(agent: Agent, id: str) -> Version:
    version = scope().find(deps().readers["planner"], "versions", id, Version)
    if version is None or version.agent_id != agent.id:
        raise refusal(NotFound, "not_found")
    return version


def _tape(run: Run) -> TapeRecord:
    where = Where("run_id", "==", run.id)
    found = scope().all(deps().readers["executor"], "tapes", TapeRecord, where, order_by="number", limit=1)
    if not found or found[0].expires_at < deps().now():
        raise refusal(NotFound, "no_tape")
    return found[0]


def _key(record: TapeRecord) -> TapeKey:
    found = scope().find(deps().readers["executor"], "tape_keys", record.workspace_id, TapeKeyRecord)
    if found is None:
        raise NotFound("the key is gone")
    return deps().vault.tape_key(found)


def _item(entry: TapeEntry, record: TapeRecord, key: TapeKey) -> TapeItem:
    kind, coding = (
        _header(entry.answer_headers, "content-type"),
        _header(entry.answer_headers, "content-encoding"),
    )
    sent_kind = _header(entry.request_headers, "content-type")
    return TapeItem(
        n=entry.n,
        method=entry.method,
        url=entry.url,
        status=entry.status,
        verdict=entry.verdict,
        reason=entry.reason,
        bytes_in=entry.answer_size,
        bytes_out=entry.request_size,
        content_type=kind,
        request_text=_text(entry.request_body, sent_kind, "", record, key),
        answer_text=_text(entry.answer_body, kind, coding, record, key),
    )


def _header(headers: tuple[tuple[str, str], ...], name: str) -> str:
    return next((value for key, value in headers if key.lower() == name), "")


def _text(address: str | None, kind: str, coding: str, record: TapeRecord, key: TapeKey) -> str | None:
    textual = not kind or any(part in kind.lower() for part in _TEXTUAL)
    if address is None or not textual:
        return None
    data = read_body(record, address, deps().blobs, key, _SHOWN_BYTES)
    if coding.lower() in ("gzip", "x-gzip", "deflate"):
        try:
            data = zlib.decompressobj(47 if "gzip" in coding.lower() else 15).decompress(data, _SHOWN_BYTES)
        except zlib.error:
            return None
    charset = kind.lower().partition("charset=")[2].partition(";")[0].strip(" \"'") or "utf-8"
    try:
        return data.decode(charset, errors="replace").replace("\0", "\ufffd")
    except LookupError:
        return data.decode(errors="replace").replace("\0", "\ufffd")
