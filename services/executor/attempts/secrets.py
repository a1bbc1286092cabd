"""The executor's way to a secret's value: through the grant's binding, for one host, once per attempt."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from shared.records.executor import Run
from shared.store.port import Reader
from shared.vault.keyfile import KEYFILE, Keyring, load_keyring
from shared.vault.reveal import reveal


class Revealer:
    """The keyring is read at the first use, not before."""

    def __init__(self, gateway: Reader, data_dir: Path) -> None:
        self._gateway = gateway
        self._path = data_dir / KEYFILE

    @cached_property
    def _keyring(self) -> Keyring:
        return load_keyring(self._path)

    def __call__(self, run: Run, secret_id: str, host: str) -> str:
        return reveal(self._gateway, self._keyring, run.workspace_id, secret_id, host)
