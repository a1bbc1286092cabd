"""The vault over the installation's keys."""

from __future__ import annotations

import hashlib
import hmac

from shared.records.gateway import Connection
from shared.records.tapes import TapeKeyRecord
from shared.store.port import Reader
from shared.vault.connections import ConnectionKeys
from shared.vault.envelope import Place, open_sealed, seal
from shared.vault.keyring import Keys
from shared.vault.reveal import reveal
from shared.vault.tapes import TapeKey, open_key


class EnvelopeVault:
    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._keyring = keys.ring("secrets")
        self._connections = ConnectionKeys(keys)
        self._fingerprints = keys.derive("fingerprints")

    def seal(self, value: str, place: Place) -> str:
        return seal(value, place, self._keyring)

    def open(self, sealed: str, place: Place) -> str:
        return open_sealed(sealed, place, self._keyring)

    def reveal(self, reader: Reader, workspace_id: str, secret_id: str, host: str) -> str:
        return reveal(reader, self._keyring, workspace_id, secret_id, host)

    def fingerprint(self, workspace_id: str, text: str) -> str:
        return hmac.new(self._fingerprints, f"{workspace_id}\x00{text}".encode(), hashlib.sha256).hexdigest()

    def tape_key(self, record: TapeKeyRecord) -> TapeKey:
        return open_key(record, self._keys.ring("tapes"))

    def seal_connection(self, value: str, place: Place) -> str:
        return self._connections.seal(value, place)

    def open_connection(self, connection: Connection) -> str:
        return self._connections.open(connection)

    def key(self, purpose: str) -> bytes:
        return self._keys.derive(purpose)
