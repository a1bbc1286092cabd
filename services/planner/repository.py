"""Documents of the planner ⇄ values, and the numbered feed of a conversation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from services.planner.model import Build
from shared.errors import NotFound
from shared.records.executor import Run
from shared.records.gateway import Agent
from shared.records.planner import Conversation, ConversationEntry, Plan, Version
from shared.store.port import Query, Reader, Tx, Where

CONVERSATIONS, ENTRIES, PLANS, VERSIONS, BUILDS = (
    "conversations",
    "conversation_entries",
    "plans",
    "versions",
    "builds",
)

_WORKSPACE = Where("workspace_id", "==", "")

# What the gateway asks of this database, too: its owner alone makes its indexes.
QUERIES = (
    Query(CONVERSATIONS, (Where("workspace_id", "==", ""),), order_by="updated_at"),
    Query(CONVERSATIONS, (Where("state", "==", ""),), order_by="updated_at"),
    Query(CONVERSATIONS, (Where("test_run_id", "==", ""),), order_by="updated_at"),
    Query(ENTRIES, (Where("conversation_id", "==", ""),), order_by="seq", descending=True),
    Query(VERSIONS, (Where("agent_id", "==", ""),), order_by="created_at"),
    Query(PLANS, (Where("conversation_id", "==", ""),), order_by="created_at"),
    Query(PLANS, (Where("conversation_id", "==", ""),), order_by="created_at", descending=True),
    Query("build_turns", (Where("conversation_id", "==", ""),), order_by="number"),
    Query(CONVERSATIONS, (_WORKSPACE,), order_by="updated_at", descending=True),
    Query(
        CONVERSATIONS, (_WORKSPACE, Where("test_run_id", "==", "")), order_by="updated_at", descending=True
    ),
    Query(VERSIONS, (_WORKSPACE, Where("agent_id", "==", "")), order_by="created_at", descending=True),
)
# Times that no query asks by; every one of them rises.
TIMES = {CONVERSATIONS: ("created_at",), ENTRIES: ("at",)}

_RUNS = 500  # a repair leaves a dozen replays for each of its tries

Author = Literal["person", "builder"]
Entry = tuple[str, Author, dict[str, Any]]


def find_conversation(reader: Reader | Tx, id: str) -> Conversation | None:
    document = reader.get(CONVERSATIONS, id)
    return Conversation.from_doc(document.data) if document else None


def get_conversation(reader: Reader | Tx, id: str) -> Conversation:
    conversation = find_conversation(reader, id)
    if conversation is None:
        raise NotFound(f"There is no conversation {id}.")
    return conversation


def save(tx: Tx, conversation: Conversation, entries: Sequence[Entry], now: str) -> Conversation:
    """Write the conversation with new feed entries, numbered in this commit. Once per commit."""
    seq = conversation.next_seq
    for kind, author, data in entries:
        entry = ConversationEntry.model_validate(
            {
                "id": f"{conversation.id}-{seq:08d}",
                "workspace_id": conversation.workspace_id,
                "conversation_id": conversation.id,
                "seq": seq,
                "kind": kind,
                "author": author,
                "at": now,
                "data": data,
            }
        )
        tx.create(ENTRIES, entry.id, entry.to_doc())
        seq += 1
    conversation = conversation.but(next_seq=seq, updated_at=now)
    put(tx, conversation)
    return conversation


def put(tx: Tx, conversation: Conversation) -> None:
    """Without an entry: nothing was said or done in it."""
    tx.put(CONVERSATIONS, conversation.id, conversation.to_doc())


def find_build(reader: Reader | Tx, id: str) -> Build | None:
    document = reader.get(BUILDS, id)
    return Build.model_validate(document.data) if document else None


def save_build(tx: Tx, build: Build) -> None:
    tx.put(BUILDS, build.id, build.model_dump(mode="json"))


def find_plan(reader: Reader | Tx, id: str) -> Plan | None:
    document = reader.get(PLANS, id)
    return Plan.from_doc(document.data) if document else None


def save_plan(tx: Tx, plan: Plan) -> None:
    tx.put(PLANS, plan.id, plan.to_doc())


def find_version(reader: Reader | Tx, id: str) -> Version | None:
    document = reader.get(VERSIONS, id) if id else None
    return Version.from_doc(document.data) if document else None


def save_version(tx: Tx, version: Version) -> None:
    tx.put(VERSIONS, version.id, version.to_doc())


def versions_of(reader: Reader | Tx, agent_id: str) -> list[Version]:
    found = reader.query(
        Query(VERSIONS, (Where("agent_id", "==", agent_id),), order_by="created_at", limit=200)
    )
    return [Version.from_doc(d.data) for d in found]


def last_question(reader: Reader | Tx, conversation_id: str) -> ConversationEntry | None:
    """The newest question entry, answered or not."""
    where = (Where("conversation_id", "==", conversation_id),)
    found = reader.query(Query(ENTRIES, where, order_by="seq", descending=True, limit=50))
    entries = [ConversationEntry.from_doc(d.data) for d in found]
    return next((entry for entry in entries if entry.kind == "question"), None)


def conversations_in(reader: Reader | Tx, state: str) -> list[Conversation]:
    found = reader.query(
        Query(CONVERSATIONS, (Where("state", "==", state),), order_by="updated_at", limit=50)
    )
    return [Conversation.from_doc(d.data) for d in found]


def approved_plan(reader: Reader | Tx, conversation_id: str) -> Plan | None:
    """The newest plan of a conversation that a person allowed."""
    where = (Where("conversation_id", "==", conversation_id),)
    found = reader.query(Query(PLANS, where, order_by="created_at", descending=True, limit=50))
    plans = (Plan.from_doc(document.data) for document in found)
    return next((plan for plan in plans if plan.status == "approved"), None)


def current_version(reader: Reader, gateway: Reader, conversation: Conversation) -> Version | None:
    """The version a conversation about an existing agent begins with: the live one, else the one shown last."""
    agent = agent_of(gateway, conversation)
    return find_version(reader, agent.version_id or agent.shown_version_id or "") if agent else None


def agent_of(gateway: Reader, conversation: Conversation) -> Agent | None:
    document = gateway.get("agents", conversation.agent_id) if conversation.agent_id else None
    return Agent.from_doc(document.data) if document else None


def healthy_runs(executor: Reader, agent: Agent, most: int) -> list[Run]:
    """Delivered runs that were recorded whole, newest first, all of the version of the newest: an older one may have
    been asked for something else."""
    where = (Where("workspace_id", "==", agent.workspace_id), Where("agent_id", "==", agent.id))
    found = executor.query(Query("runs", where, order_by="requested_at", descending=True, limit=_RUNS))
    runs = (Run.from_doc(document.data) for document in found)
    healthy = (run for run in runs if run.outcome == "delivered" and run.tape == "full")
    live = [run for run in healthy if run.kind not in ("test", "replay")]
    return [run for run in live if run.version_id == live[0].version_id][:most]
