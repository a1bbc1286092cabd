"""Whose key a call uses: the workspace's connection, which only this service may open, or the operator's."""

from __future__ import annotations

from services.planner.ports import ModelKey
from shared.errors import NotFound, NotYet
from shared.records.gateway import Connection
from shared.runtime.settings import Settings
from shared.store.port import Reader
from shared.vault.connections import ConnectionKeys

_CONNECTIONS = "connections"


class ConnectedKeys:
    """`settings` says where calls go and what the operator brought; people choose neither."""

    def __init__(self, gateway: Reader, vault: ConnectionKeys, settings: Settings) -> None:
        self._gateway = gateway
        self._vault = vault
        self._settings = settings

    def key_for(self, workspace_id: str) -> ModelKey | None:
        found = self._find(workspace_id)
        return self._opened(found) if found is not None and found.usable else None

    def builder_key_for(self, workspace_id: str) -> ModelKey | None:
        own = self.key_for(workspace_id)
        operator = self._settings.anthropic_api_key
        # Where many workspaces share one installation, each pays for itself.
        if own is not None or not operator or not self._settings.one_machine:
            return own
        return ModelKey(operator, self._settings.anthropic_base_url, self._settings.model, own=False)

    def typed(self, workspace_id: str, version: int) -> ModelKey | None:
        found = self._find(workspace_id)
        if found is None or found.version < version:
            raise NotYet("the connection is not known yet")
        return self._opened(found) if found.version == version and found.deleted_at is None else None

    def _find(self, workspace_id: str) -> Connection | None:
        found = self._gateway.get(_CONNECTIONS, f"{workspace_id}-claude")
        connection = Connection.from_doc(found.data) if found else None
        return connection if connection is not None and connection.workspace_id == workspace_id else None

    def _opened(self, connection: Connection) -> ModelKey | None:
        try:
            key = self._vault.open(connection)
        except NotFound:
            return None
        return ModelKey(key, self._settings.anthropic_base_url, connection.model, own=True)
