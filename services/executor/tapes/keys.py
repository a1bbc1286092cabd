"""A workspace's tape key: made at its first tape, wrapped by the installation's, destroyed with the workspace."""

from __future__ import annotations

import threading

from services.executor.repository import TAPE_KEYS
from shared.clock import Clock, stamp
from shared.ids import Ids
from shared.records.tapes import TapeKeyRecord
from shared.store.port import Cause, Store, Tx
from shared.vault.keyring import Keys
from shared.vault.tapes import TapeKey, new_key, open_key


class TapeKeys:
    """Thread-safe. Keeps opened keys in memory until they are destroyed here."""

    def __init__(self, store: Store, keys: Keys, ids: Ids, clock: Clock) -> None:
        self._store = store
        self._keyring = keys.ring("tapes")
        self._ids = ids
        self._clock = clock
        self._opened: dict[str, TapeKey] = {}
        self._lock = threading.Lock()

    def key(self, workspace_id: str) -> TapeKey:
        """Makes one where there is none."""
        with self._lock:
            found = self._opened.get(workspace_id)
            if found is None:
                found = self._opened[workspace_id] = self._read_or_make(workspace_id)
            return found

    def forget(self, workspace_id: str) -> None:
        with self._lock:
            self._opened.pop(workspace_id, None)

    def _read_or_make(self, workspace_id: str) -> TapeKey:
        stored = self._store.get(TAPE_KEYS, workspace_id)
        if stored is not None:  # who only reads may not be allowed to wrap
            return open_key(TapeKeyRecord.from_doc(stored.data), self._keyring)
        fresh, record = new_key(workspace_id, self._ids.new("tpk"), self._keyring, stamp(self._clock.now()))

        def work(tx: Tx) -> TapeKeyRecord:
            found = tx.get(TAPE_KEYS, workspace_id)
            if found is not None:
                return TapeKeyRecord.from_doc(found.data)
            tx.create(TAPE_KEYS, workspace_id, record.to_doc())
            return record

        stands = self._store.transact(work, cause=Cause(workspace_id, "service:executor"))
        return fresh if stands.key_id == fresh.id else open_key(stands, self._keyring)


def holds(tx: Tx, workspace_id: str, key_id: str) -> bool:
    """Whether that key is still the workspace's."""
    found = tx.get(TAPE_KEYS, workspace_id)
    return found is not None and found.data["key_id"] == key_id
