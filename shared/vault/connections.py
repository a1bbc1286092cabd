"""Keys of connected models at rest. They are sealed under keys of their own, which follow from the installation's:
who opens connections cannot open a secret, and the other way round. Why: docs/decisions/0029."""

from __future__ import annotations

from pathlib import Path

from shared.errors import NotFound
from shared.records.gateway import Connection
from shared.vault.envelope import Place, open_sealed, seal
from shared.vault.keyfile import KEYFILE, Keyring, load_keyring

_PURPOSE = "connections"


class ConnectionKeys:
    """Seals and opens connections, and nothing else: it does not keep the ring that secrets are sealed with."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring.derived(_PURPOSE)

    @classmethod
    def at(cls, data_dir: Path) -> ConnectionKeys:
        """Makes the keyfile on first use. Raises Misconfigured when others may read it."""
        return cls(load_keyring(data_dir / KEYFILE))

    def seal(self, value: str, place: Place) -> str:
        return seal(value, place, self._keyring)

    def open(self, connection: Connection) -> str:
        """The key. Raises: NotFound when it was taken away, DecodeError when the row does not belong here."""
        if not connection.sealed:
            raise NotFound("this connection was taken away", code="no_connection")
        place = Place(connection.workspace_id, connection.id, connection.version)
        return open_sealed(connection.sealed, place, self._keyring)
