"""Schedules and slots as documents."""

from __future__ import annotations

from shared.ids import derived
from shared.records.scheduler import ScheduleRecord, Slot
from shared.store.port import Query, Reader, Tx, Where

SCHEDULES, SLOTS = "schedules", "slots"
UNSCHEDULED = (
    "unscheduled"  # agents that never had a schedule: the newest fact heard, so that a late one stays late
)

_WORKSPACE = Where("workspace_id", "==", "")

# What the gateway asks of this database, too: its owner alone makes its indexes.
QUERIES = (
    Query(SCHEDULES, (Where("next_at", "<=", ""),), order_by="next_at"),
    Query(SLOTS, (Where("agent_id", "==", ""),), order_by="at"),
    Query(SLOTS, (Where("workspace_id", "==", ""),), order_by="at"),
    Query(SLOTS, (_WORKSPACE,), order_by="at", descending=True),
    Query(SLOTS, (_WORKSPACE, Where("agent_id", "==", "")), order_by="at", descending=True),
)
# Times that no query asks by; every one of them rises.
TIMES = {SCHEDULES: ("updated_at",), SLOTS: ("settled_at",)}


def find_schedule(tx: Tx, agent_id: str) -> ScheduleRecord | None:
    document = tx.get(SCHEDULES, agent_id)
    return ScheduleRecord.from_doc(document.data) if document else None


def save_schedule(tx: Tx, record: ScheduleRecord) -> None:
    tx.put(SCHEDULES, record.id, record.to_doc())


def revision_without_schedule(tx: Tx, agent_id: str) -> str | None:
    document = tx.get(UNSCHEDULED, agent_id)
    return str(document.data["revision"]) if document else None


def note_without_schedule(tx: Tx, agent_id: str, revision: str) -> None:
    tx.put(UNSCHEDULED, agent_id, {"revision": revision})


def due_schedules(
    reader: Reader | Tx, now: str, limit: int, after: tuple[str, str] | None = None
) -> list[ScheduleRecord]:
    """after: (next_at, id) of the last one not wanted."""
    where = (Where("next_at", "<=", now),)
    found = reader.query(Query(SCHEDULES, where, order_by="next_at", limit=limit, after=after))
    return [ScheduleRecord.from_doc(d.data) for d in found]


def find_slot(tx: Tx, id: str) -> Slot | None:
    document = tx.get(SLOTS, id)
    return Slot.from_doc(document.data) if document else None


def save_slot(tx: Tx, slot: Slot) -> None:
    tx.put(SLOTS, slot.id, slot.to_doc())


def slot_id(agent_id: str, at: str) -> str:
    """Also the run's id: the same agent and moment can never be two runs."""
    return derived("run", agent_id, at)
