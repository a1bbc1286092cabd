"""What a profile chooses, and the kit each service gets out of it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask

from shared.blobs.port import Blobs
from shared.bus.port import Bus
from shared.clock import Clock
from shared.errors import Misconfigured
from shared.ids import Ids
from shared.runtime.profiles.outlook import Outlook
from shared.runtime.settings import Settings
from shared.runtime.shell import Kit
from shared.store.port import Databases, Watch
from shared.vault.keyring import Keyring, Keys, Ring

# Who reads whom (design, section 3): terraform's viewers and a test come from this table.
READS: dict[str, tuple[str, ...]] = {
    "gateway": ("executor", "ledger", "planner", "scheduler"),
    "planner": ("executor", "gateway"),
    "executor": ("gateway", "planner"),
    "scheduler": ("gateway",),
    "ledger": ("gateway",),
}


# Who wraps and unwraps with which keys: terraform's grants and a test come from this table. Where runs stay in the
# executor's own process (no executor-egress) it unwraps what that does.
KEYS: dict[str, dict[Ring, tuple[str, ...]]] = {
    "gateway": {"secrets": ("wrap", "unwrap"), "connections": ("wrap", "unwrap"), "tapes": ("unwrap",)},
    "planner": {"connections": ("unwrap",)},
    "executor": {"tapes": ("wrap", "unwrap"), "doors": ("wrap",)},
    "executor-egress": {"secrets": ("unwrap",), "tapes": ("unwrap",), "doors": ("unwrap",)},
}


# Whose tokens, links and fingerprints follow from which signing key of KMS (shared/vault/kms.py).
DERIVES: dict[str, tuple[str, ...]] = {
    "derive-gateway": ("gateway",),
    "derive-runs": ("executor", "executor-egress", "planner"),
}


class Allowed:
    """`Keys` of one service, which are looked for when it has any. The executor's are executor-egress's as well: the
    two are one program."""

    def __init__(self, keys: Callable[[], Keys] | None, service: str) -> None:
        self._keys = keys() if keys is not None else None
        self._service = service
        self._rings = set(KEYS.get(service, {}))
        if service == "executor":
            self._rings |= set(KEYS["executor-egress"])

    def ring(self, ring: Ring) -> Keyring:
        if self._keys is None or ring not in self._rings:
            raise Misconfigured(f"{self._service} may not use the keys of {ring}; see KEYS.")
        return self._keys.ring(ring)

    def derive(self, purpose: str) -> bytes:
        if self._keys is None:
            raise Misconfigured(f"{self._service} may use no keys; see KEYS.")
        return self._keys.derive(purpose)


@dataclass(frozen=True)
class Engines:
    """One process's adapters. close() ends them in the right order. inlet: where events are pushed to; None
    where the bus fetches them. keys: asked for by services that have any. outlook: who tells the operator."""

    settings: Settings
    databases: Databases
    bus: Bus
    blobs: Blobs
    keys: Callable[[], Keys]
    clock: Clock
    ids: Ids
    data_dir: Path
    project_dir: Path
    close: Callable[[], None]
    inlet: Flask | None = None
    outlook: Outlook = field(default_factory=Outlook)

    def kit(self, service: str) -> Kit:
        own = self.databases.own(service)
        allowed = READS[service]

        def watch(other: str, collections: Sequence[str]) -> Watch:
            if other == service:
                return own.watch(collections)
            if other not in allowed:
                raise Misconfigured(f"{service} may not read {other}; see READS.")
            return self.databases.watch(other, collections)

        return Kit(
            name=service,
            settings=self.settings,
            clock=self.clock,
            ids=self.ids,
            store=own,
            readers={name: self.databases.read(name) for name in allowed},
            watch=watch,
            blobs=self.blobs,
            keys=Allowed(self.keys if service in KEYS else None, service),
            bus=self.bus,
            data_dir=self.data_dir,
            project_dir=self.project_dir,
            watching=self.outlook.of(service),
        )


def prepared(folder: Path) -> Path:
    """The data folder, made private (0700). Raises Misconfigured with what to do."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        with tempfile.TemporaryFile(dir=folder):  # without a name: five processes may look at once
            pass
    except OSError as error:
        raise Misconfigured(
            f"The data folder {folder} cannot be written ({os.strerror(error.errno or 0)}); "
            "set AB_DATA_DIR to a folder of yours.",
            code="data_unwritable",
        ) from error
    return folder.resolve()
