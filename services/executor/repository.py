"""Documents of the executor ⇄ values. Also the feed: entries numbered per run, without gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from services.executor.model import AttemptResult
from shared.clock import Clock, stamp
from shared.errors import Conflict, NotFound
from shared.ids import derived
from shared.records.executor import (
    Artifact,
    EnvironmentRecord,
    PermissionRequest,
    Run,
    RunEntry,
    RunFeed,
    StateHead,
    StateVersion,
    WriteMade,
)
from shared.records.tapes import TapeRecord
from shared.store.port import Cause, Document, Query, Reader, Store, Tx, Where
from shared.telemetry.trace import trace_id

RUNS, ENTRIES, FEEDS, ATTEMPTS = "runs", "run_entries", "run_feeds", "attempts"
ARTIFACTS, STATES, ENVIRONMENTS = "artifacts", "states", "environments"
TAPES, TAPE_KEYS = "tapes", "tape_keys"
VERSION_ENVIRONMENTS, PERMISSIONS, TURNS = "version_environments", "permission_requests", "turns"
STATE_HEADS, LEFTOVERS = "state_heads", "leftovers"
UNDER_WAY = "attempts_under_way"  # of those that outlive the process that hears them (attempts/under_way.py)
DOORS, NOTES = "doors", "door_notes"  # of attempts whose way out is another process (attempts/doors.py)

EXECUTIONS = "executions"  # by attempt: claimed before Google is asked to start one (adapters/claims.py)
PACKED = "packed_packages"  # by environment: the hash of its file in the bucket (adapters/packed.py)
SANDBOX = "sandbox"  # one document, "this": what the page says about the machine

_WORKSPACE = Where("workspace_id", "==", "")
_MAX_URL = 2000
_WRITES_LISTED = 50
_ARTIFACTS_AT_MOST = 1000  # an attempt leaves 200 (attempts/collector.py), and a run has four or five

# What others ask of this database, too: its owner alone makes its indexes.
QUERIES = (
    Query(RUNS, (Where("agent_id", "==", ""),), order_by="requested_at"),
    Query(RUNS, (Where("workspace_id", "==", ""),), order_by="requested_at"),
    Query(RUNS, (Where("status", "==", ""),), order_by="requested_at"),
    Query(RUNS, (Where("version_id", "==", ""), Where("status", "==", "")), order_by="requested_at"),
    Query(RUNS, (Where("agent_id", "==", ""), Where("status", "==", "")), order_by="requested_at"),
    Query(ENTRIES, (Where("run_id", "==", ""),), order_by="seq"),
    Query(ARTIFACTS, (Where("run_id", "==", ""),), order_by="name"),
    Query(ARTIFACTS, (Where("agent_id", "==", ""),), order_by="at"),
    Query(STATES, (Where("agent_id", "==", ""),), order_by="number", descending=True),
    Query(STATES, (Where("review_at", "<", ""),), order_by="review_at"),
    Query(LEFTOVERS, order_by="at"),
    Query(TAPES, (Where("run_id", "==", ""),), order_by="number"),
    Query(TAPES, (Where("agent_id", "==", ""),), order_by="at"),
    Query(TAPES, (Where("workspace_id", "==", ""),), order_by="at"),
    Query(TAPES, (Where("expires_at", "<", ""),), order_by="expires_at"),
    Query(EXECUTIONS, (Where("at", "<", ""),), order_by="at"),
    Query(UNDER_WAY, order_by="begun_at"),
    Query(NOTES, (Where("attempt_id", "==", ""),), order_by="seq"),
    Query(DOORS, (Where("expires_at", "<", ""),), order_by="expires_at"),
    Query(PERMISSIONS, (Where("agent_id", "==", ""),), order_by="at"),
    Query(PERMISSIONS, (Where("workspace_id", "==", ""),), order_by="at"),
    Query(PERMISSIONS, (Where("status", "==", ""),), order_by="at"),
    Query(PERMISSIONS, (Where("version_id", "==", ""),), order_by="at"),
    Query(RUNS, (_WORKSPACE, Where("agent_id", "==", "")), order_by="requested_at", descending=True),
    Query(ENTRIES, (Where("run_id", "==", ""),), order_by="seq", descending=True),
    Query(ARTIFACTS, (_WORKSPACE, Where("run_id", "==", "")), order_by="at"),
    Query(STATES, (_WORKSPACE, Where("agent_id", "==", "")), order_by="number", descending=True),
    Query(PERMISSIONS, (_WORKSPACE, Where("status", "==", "")), order_by="at", descending=True),
    Query(TAPES, (_WORKSPACE, Where("run_id", "==", "")), order_by="number", descending=True),
)
# Times that no query asks by; every one of them rises.
TIMES = {
    RUNS: (
        "slot_at",
        "deadline_at",
        "funded_at",
        "begun_at",
        "started_at",
        "first_line_at",
        "ended_at",
        "finished_at",
        "settled_at",
    ),
    ENTRIES: ("at",),
    ATTEMPTS: ("begun_at", "ended_at"),
    STATES: ("at",),
    ENVIRONMENTS: ("at",),
}


class Runs:
    """`tx` for changes, any reader for looking."""

    def __init__(self, reader: Reader | Tx) -> None:
        self._reader = reader

    def find(self, run_id: str) -> Run | None:
        document = self._reader.get(RUNS, run_id)
        return Run.from_doc(document.data) if document else None

    def get(self, run_id: str) -> Run:
        run = self.find(run_id)
        if run is None:
            raise NotFound(f"There is no run {run_id}.")
        return run

    def of_status(self, status: str, limit: int = 200) -> list[Run]:
        query = Query(RUNS, (Where("status", "==", status),), order_by="requested_at", limit=limit)
        return [Run.from_doc(d.data) for d in self._reader.query(query)]

    def unfinished_of_agent(self, agent_id: str) -> list[Run]:
        """Oldest first."""
        unfinished = ["queued", "running", "parked"]
        where = (Where("agent_id", "==", agent_id), Where("status", "in", unfinished))
        return [Run.from_doc(d.data) for d in self._reader.query(Query(RUNS, where, order_by="requested_at"))]

    def queued_of_agent(self, agent_id: str) -> list[Run]:
        where = (Where("agent_id", "==", agent_id), Where("status", "==", "queued"))
        return [Run.from_doc(d.data) for d in self._reader.query(Query(RUNS, where, order_by="requested_at"))]

    def queued_for_version(self, version_id: str) -> list[Run]:
        where = (Where("version_id", "==", version_id), Where("status", "==", "queued"))
        return [Run.from_doc(d.data) for d in self._reader.query(Query(RUNS, where, order_by="requested_at"))]


def cause_for(tx: Tx, run: Run) -> Cause:
    """What becomes of a run is its workspace's and goes on in its trace, whatever commit it happens in: the end of
    another workspace's run, or a tick, may begin or end it."""
    by = tx.cause
    if by.workspace_id != run.workspace_id:
        return Cause(run.workspace_id, f"agent:{run.agent_id}", run.traceparent)
    same = trace_id(by.traceparent) == trace_id(run.traceparent)
    return by if same else replace(by, traceparent=run.traceparent)


def save_run(tx: Tx, run: Run) -> None:
    tx.put(RUNS, run.id, run.to_doc())


def append(tx: Tx, run: Run, entries: Sequence[tuple[str, dict[str, Any]]], now: str) -> None:
    """Number and write feed entries in this commit. Call at most once per commit and run."""
    document = tx.get(FEEDS, run.id)
    feed = RunFeed.from_doc(document.data) if document else RunFeed(id=run.id, workspace_id=run.workspace_id)
    seq = feed.next_seq
    for kind, data in entries:
        entry = RunEntry.model_validate(
            {
                "id": f"{run.id}-{seq:08d}",
                "workspace_id": run.workspace_id,
                "run_id": run.id,
                "attempt": run.attempt,
                "seq": seq,
                "kind": kind,
                "at": now,
                "data": data,
            }
        )
        tx.create(ENTRIES, entry.id, entry.to_doc())
        seq += 1
    tx.put(FEEDS, run.id, feed.but(next_seq=seq).to_doc())


def find_attempt(reader: Reader | Tx, attempt_id: str) -> AttemptResult | None:
    document = reader.get(ATTEMPTS, attempt_id)
    return AttemptResult.model_validate(document.data) if document else None


def head_of(reader: Reader | Tx, agent_id: str, workspace_id: str) -> StateHead:
    """Where the agent's memory is; before its first version, and in databases from before there was a head,
    made up from what is there."""
    document = reader.get(STATE_HEADS, agent_id)
    if document is not None:
        return StateHead.from_doc(document.data)
    newest = max((state.number for state in states_of(reader, agent_id, limit=1)), default=0)
    return StateHead(id=agent_id, workspace_id=workspace_id, current=newest, newest=newest)


def save_head(tx: Tx, head: StateHead) -> None:
    tx.put(STATE_HEADS, head.id, head.to_doc())


def state_id(agent_id: str, number: int) -> str:
    return f"{agent_id}-{number:06d}"


def state_of(reader: Reader | Tx, agent_id: str, number: int) -> StateVersion | None:
    return state_by_id(reader, state_id(agent_id, number))


def state_by_id(reader: Reader | Tx, id: str) -> StateVersion | None:
    document = reader.get(STATES, id)
    return StateVersion.from_doc(document.data) if document else None


def states_of(reader: Reader | Tx, agent_id: str, limit: int = 1000) -> list[StateVersion]:
    """Newest first."""
    where = (Where("agent_id", "==", agent_id),)
    query = Query(STATES, where, order_by="number", descending=True, limit=limit)
    return [StateVersion.from_doc(document.data) for document in reader.query(query)]


def states_to_review(reader: Reader, now: str, limit: int) -> list[str]:
    where = (Where("review_at", ">", ""), Where("review_at", "<=", now))
    return [document.id for document in reader.query(Query(STATES, where, order_by="review_at", limit=limit))]


def save_state(tx: Tx, state: StateVersion, head: StateHead) -> None:
    tx.create(STATES, state.id, state.to_doc())
    save_head(tx, head)


def facts_key(agent_id: str, run_id: str) -> str:
    """What a run's files were measured to be, for the next run's `change` checks."""
    return f"executor/facts/{agent_id}/{run_id}.json"


def leave(tx: Tx, blob_key: str, now: str) -> None:
    """Nothing points to the blob once this commit stands; the next sweep deletes it."""
    tx.put(LEFTOVERS, derived("left", blob_key), {"blob_key": blob_key, "at": now})


def leftovers(reader: Reader, limit: int) -> list[str]:
    found = reader.query(Query(LEFTOVERS, order_by="at", limit=limit))
    return [document.data["blob_key"] for document in found]


def forget_leftover(tx: Tx, blob_key: str) -> None:
    tx.delete(LEFTOVERS, derived("left", blob_key))


def save_artifacts(tx: Tx, artifacts: Sequence[Artifact]) -> None:
    for artifact in artifacts:
        tx.put(ARTIFACTS, artifact.id, artifact.to_doc())


def environment_of(reader: Reader | Tx, version_id: str) -> EnvironmentRecord | None:
    """The environment a version uses; None until its lock is known."""
    link = reader.get(VERSION_ENVIRONMENTS, version_id)
    if link is None:
        return None
    document = reader.get(ENVIRONMENTS, link.data["environment_id"])
    return EnvironmentRecord.from_doc(document.data) if document else None


def note_write(store: Store, clock: Clock, run_id: str, attempt_id: str, what: str) -> None:
    """A live write of the run's current attempt is about to leave: written down first, so that no restart ever
    repeats it blindly. what: "POST https://host/path". Raises: Conflict when the
    attempt is another by now; nothing may leave then."""
    method, _, url = what.partition(" ")
    made = WriteMade(method=method, url=url[:_MAX_URL], at=stamp(clock.now()))

    def mark(tx: Tx) -> None:
        run = Runs(tx).get(run_id)
        if run.attempt_id != attempt_id:
            raise Conflict("another attempt of this run has begun")
        if not run.wrote or len(run.writes) < _WRITES_LISTED:
            save_run(tx, run.but(wrote=True, writes=(*run.writes, made)[:_WRITES_LISTED]))

    found = Runs(store).get(run_id)
    store.transact(mark, cause=Cause(found.workspace_id, f"agent:{found.agent_id}"))


def save_environment(tx: Tx, record: EnvironmentRecord) -> None:
    tx.put(ENVIRONMENTS, record.id, record.to_doc())


def link_environment(tx: Tx, version_id: str, environment_id: str, workspace_id: str) -> None:
    tx.put(VERSION_ENVIRONMENTS, version_id, {"environment_id": environment_id, "workspace_id": workspace_id})


def parks_on(reader: Reader | Tx, agent_id: str, day: str) -> int:
    """How often the agent asked on that UTC day (`2026-11-22`)."""
    where = (Where("agent_id", "==", agent_id), Where("at", ">=", day))
    found = reader.query(Query(PERMISSIONS, where, order_by="at"))
    return sum(1 for document in found if document.data["at"].startswith(day))


def find_permission(reader: Reader | Tx, id: str) -> PermissionRequest | None:
    document = reader.get(PERMISSIONS, id)
    return PermissionRequest.from_doc(document.data) if document else None


def open_package_questions(reader: Reader | Tx) -> list[PermissionRequest]:
    query = Query(PERMISSIONS, (Where("status", "==", "open"),), order_by="at", limit=50)
    found = (PermissionRequest.from_doc(document.data) for document in reader.query(query))
    return [request for request in found if request.kind == "package"]


def packages_allowed(reader: Reader | Tx, workspace_id: str, version_id: str) -> tuple[str, ...]:
    """`name==version` of every yes of this workspace to this version."""
    where = (Where("version_id", "==", version_id),)
    found = [
        PermissionRequest.from_doc(d.data) for d in reader.query(Query(PERMISSIONS, where, order_by="at"))
    ]
    ours = [one for one in found if one.workspace_id == workspace_id and one.kind == "package"]
    return tuple(name for one in ours if one.status == "allowed" for name in one.packages)


def take_turn(tx: Tx, run: Run) -> None:
    """Serialises starts of one agent: of two commits that both think it is their turn, one runs again."""
    tx.get(TURNS, run.agent_id)
    tx.put(TURNS, run.agent_id, {"run_id": run.id, "attempt": run.attempt})


def attempt_id(run_id: str, number: int) -> str:
    return derived("att", run_id, str(number))


def tapes_of_run(reader: Reader | Tx, run_id: str) -> list[TapeRecord]:
    """By attempt, the last one last."""
    query = Query(TAPES, (Where("run_id", "==", run_id),), order_by="number")
    return [TapeRecord.from_doc(found.data) for found in reader.query(query)]


def tapes_of_agent(reader: Reader, agent_id: str, limit: int) -> list[TapeRecord]:
    query = Query(TAPES, (Where("agent_id", "==", agent_id),), order_by="at", limit=limit)
    return [TapeRecord.from_doc(found.data) for found in reader.query(query)]


def tapes_of_workspace(reader: Reader, workspace_id: str, limit: int) -> list[TapeRecord]:
    query = Query(TAPES, (Where("workspace_id", "==", workspace_id),), order_by="at", limit=limit)
    return [TapeRecord.from_doc(found.data) for found in reader.query(query)]


def tapes_expired(reader: Reader, now: str, limit: int) -> list[TapeRecord]:
    query = Query(TAPES, (Where("expires_at", "<", now),), order_by="expires_at", limit=limit)
    return [TapeRecord.from_doc(found.data) for found in reader.query(query)]


def find_tape(reader: Reader | Tx, attempt_id: str) -> TapeRecord | None:
    document = reader.get(TAPES, attempt_id)
    return TapeRecord.from_doc(document.data) if document else None


def executions(reader: Reader, before: str, limit: int) -> list[Document]:
    """Claimed before that moment; the oldest first."""
    asked = Query(EXECUTIONS, (Where("at", "<", before),), order_by="at", limit=limit)
    return reader.query(asked)


def artifacts_of(reader: Reader, run_id: str) -> list[Artifact]:
    query = Query(ARTIFACTS, (Where("run_id", "==", run_id),), order_by="name", limit=_ARTIFACTS_AT_MOST)
    return [Artifact.from_doc(found.data) for found in reader.query(query)]
