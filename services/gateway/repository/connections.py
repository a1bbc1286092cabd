"""A workspace's own access to models: sealed before it is written, one document for each kind."""

from __future__ import annotations

from services.gateway.ports import Vault
from services.gateway.repository.scope import Readable, Scope
from services.gateway.repository.shapes import CONNECTIONS
from shared.records.gateway import Connection
from shared.store.port import Tx
from shared.vault.envelope import Place

_HINT_CHARS = 4


class ConnectionRepository:
    def __init__(self, scope: Scope, now: str) -> None:
        self._scope = scope
        self._now = now

    @property
    def id(self) -> str:
        return f"{self._scope.workspace_id}-claude"

    def find(self, reader: Readable) -> Connection | None:
        """None: never connected, or taken away."""
        found = self._scope.find(reader, CONNECTIONS, self.id, Connection)
        return found if found is not None and found.deleted_at is None else None

    def save(self, tx: Tx, key: str, model: str, vault: Vault) -> Connection:
        """The key under its next number, not tested yet. Numbers go on after a deletion, so that a late test of
        an older key is known as such."""
        before = self._scope.find(tx, CONNECTIONS, self.id, Connection)
        place = Place(self._scope.workspace_id, self.id, before.version + 1 if before else 1)
        typed = Connection(
            id=self.id,
            workspace_id=place.workspace_id,
            kind="claude",
            state="testing",
            version=place.version,
            sealed=vault.seal_connection(key, place),
            hint=key[-_HINT_CHARS:],
            model=model,
            typed_at=self._now,
            tested_at=before.tested_at if before and before.usable else None,
        )
        tx.put(CONNECTIONS, self.id, typed.to_doc())
        return typed

    def delete(self, tx: Tx) -> bool:
        """The key is gone for good; what it was called stays. False when there was none."""
        found = self.find(tx)
        if found is None:
            return False
        gone = found.but(sealed="", version=found.version + 1, deleted_at=self._now)
        tx.put(CONNECTIONS, self.id, gone.to_doc())
        return True
