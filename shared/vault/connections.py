"""Keys of connected models at rest. They are sealed under keys of their own: who opens connections cannot open a
secret, and the other way round. Why: docs/decisions/0029."""

from __future__ import annotations

from shared.errors import NotFound
from shared.records.gateway import Connection
from shared.vault.envelope import Place, open_sealed, seal
from shared.vault.keyring import Keys


class ConnectionKeys:
    """Seals and opens connections, and nothing else: it does not keep the ring that secrets are sealed with."""

    def __init__(self, keys: Keys) -> None:
        self._keyring = keys.ring("connections")

    def seal(self, value: str, place: Place) -> str:
        return seal(value, place, self._keyring)

    def open(self, connection: Connection) -> str:
        """The key. Raises: NotFound when it was taken away, DecodeError when the row does not belong here."""
        if not connection.sealed:
            raise NotFound("this connection was taken away", code="no_connection")
        place = Place(connection.workspace_id, connection.id, connection.version)
        return open_sealed(connection.sealed, place, self._keyring)
