"""The executor's way to a secret's value: through the grant's binding, for one host, once per attempt."""

from __future__ import annotations

from shared.records.executor import Run
from shared.store.port import Reader
from shared.vault.keyring import Keys
from shared.vault.reveal import reveal


class Revealer:
    """keys: asked for the ring of secrets at the first use, not before; who never reveals needs no right to."""

    def __init__(self, gateway: Reader, keys: Keys) -> None:
        self._gateway = gateway
        self._keys = keys

    def __call__(self, run: Run, secret_id: str, host: str) -> str:
        return reveal(self._gateway, self._keys.ring("secrets"), run.workspace_id, secret_id, host)
