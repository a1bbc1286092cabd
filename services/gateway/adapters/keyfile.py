"""The vault over the installation's keyfile."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

from shared.records.gateway import Connection
from shared.records.tapes import TapeKeyRecord
from shared.store.port import Reader
from shared.vault.connections import ConnectionKeys
from shared.vault.envelope import Place, open_sealed, seal
from shared.vault.keyfile import KEYFILE, Keyring, load_keyring
from shared.vault.reveal import reveal
from shared.vault.tapes import TapeKey, open_key


class KeyfileVault:
    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._connections = ConnectionKeys(keyring)
        self._fingerprints = keyring.derive("fingerprints")

    @classmethod
    def at(cls, data_dir: Path) -> KeyfileVault:
        """Makes the keyfile on first use. Raises Misconfigured when others may read it."""
        return cls(load_keyring(data_dir / KEYFILE))

    def seal(self, value: str, place: Place) -> str:
        return seal(value, place, self._keyring)

    def open(self, sealed: str, place: Place) -> str:
        return open_sealed(sealed, place, self._keyring)

    def reveal(self, reader: Reader, workspace_id: str, secret_id: str, host: str) -> str:
        return reveal(reader, self._keyring, workspace_id, secret_id, host)

    def fingerprint(self, workspace_id: str, text: str) -> str:
        return hmac.new(self._fingerprints, f"{workspace_id}\x00{text}".encode(), hashlib.sha256).hexdigest()

    def tape_key(self, record: TapeKeyRecord) -> TapeKey:
        return open_key(record, self._keyring)

    def seal_connection(self, value: str, place: Place) -> str:
        return self._connections.seal(value, place)

    def open_connection(self, connection: Connection) -> str:
        return self._connections.open(connection)

    def key(self, purpose: str) -> bytes:
        return self._keyring.derive(purpose)
