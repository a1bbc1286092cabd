"""How tapes end: after thirty days, with their agent, with their workspace."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from services.executor import repository
from services.executor.tapes.keys import holds
from shared.blobs.port import Blobs
from shared.clock import Clock, stamp
from shared.records.tapes import TapeRecord
from shared.store.port import Cause, Store, Tx

KEPT = timedelta(days=30)  # design, section 6
# Bodies of so many days lie together and are deleted together, a month after the last of them.
PERIOD_DAYS = 30
_AT_ONCE = 50


def period(at: datetime) -> int:
    return int(at.timestamp() // 86400) // PERIOD_DAYS


def prefix_of(number: int, workspace_id: str, agent_id: str) -> str:
    return f"executor/tapes/{number}/{workspace_id}/{agent_id}"


def put_away(tx: Tx, tape: TapeRecord | None, now: str) -> None:
    """The tape's document, in the commit that ends its attempt. One whose key was destroyed meanwhile goes."""
    if tape is None:
        return
    if holds(tx, tape.workspace_id, tape.key_id):
        tx.put(repository.TAPES, tape.id, tape.to_doc())
    elif tape.index_key is not None:
        repository.leave(tx, tape.index_key, now)


def sweep(store: Store, blobs: Blobs, clock: Clock) -> None:
    """Some tapes whose time is over, and the bodies of periods that no tape can point to any more. Own commits;
    may be called at any time."""
    for record in repository.tapes_expired(store, stamp(clock.now()), _AT_ONCE):
        _remove(store, blobs, record.id, record.index_key, record.workspace_id)
    over = period(clock.now() - timedelta(days=PERIOD_DAYS)) - 1
    for number in (over, over - 1):
        for blob in list(blobs.list(f"executor/tapes/{number}/")):
            blobs.delete(blob.key)


def remove_of_agent(store: Store, blobs: Blobs, clock: Clock, workspace_id: str, agent_id: str) -> None:
    """Idempotent."""
    while found := repository.tapes_of_agent(store, agent_id, _AT_ONCE):
        for record in found:
            _remove(store, blobs, record.id, record.index_key, record.workspace_id)
    newest = period(clock.now())
    for number in range(newest - 2, newest + 1):
        for blob in list(blobs.list(f"{prefix_of(number, workspace_id, agent_id)}/")):
            blobs.delete(blob.key)


def remove_of_workspace(store: Store, blobs: Blobs, clock: Clock, workspace_id: str) -> None:
    """Whatever lies around of its tapes; the key was destroyed before. Idempotent."""
    while found := repository.tapes_of_workspace(store, workspace_id, _AT_ONCE):
        for record in found:
            _remove(store, blobs, record.id, record.index_key, record.workspace_id)
    newest = period(clock.now())
    for number in range(newest - 2, newest + 1):
        for blob in list(blobs.list(f"executor/tapes/{number}/{workspace_id}/")):
            blobs.delete(blob.key)


def _remove(store: Store, blobs: Blobs, id: str, index_key: str | None, workspace_id: str) -> None:
    if index_key is not None:
        blobs.delete(index_key)
    store.transact(partial(_forget, id=id), cause=Cause(workspace_id, "service:executor"))


def _forget(tx: Tx, id: str) -> None:
    tx.delete(repository.TAPES, id)
