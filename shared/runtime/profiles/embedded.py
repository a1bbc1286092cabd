"""The embedded profile: SQLite files and folders under the data dir."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from shared.blobs.files import FileBlobs
from shared.bus.disorder import Disorder
from shared.bus.sqlite import SqliteBus
from shared.clock import Clock, SystemClock
from shared.ids import Ids, RandomIds
from shared.runtime.profiles.engines import READS, Engines, prepared
from shared.runtime.profiles.outlook import chosen_outlook
from shared.runtime.settings import Settings
from shared.store.sqlite import SqliteDatabases
from shared.vault.keyfile import KEYFILE, load_keyring


def engines(
    settings: Settings,
    services: Iterable[str],
    *,
    project_dir: Path,
    clock: Clock | None = None,
    ids: Ids | None = None,
) -> Engines:
    """`services` are those of this process. Raises Misconfigured when the data folder cannot be used."""
    clock, ids = clock or SystemClock(), ids or RandomIds()
    data_dir = prepared(settings.data_dir)
    one_process = set(services) >= set(READS)
    # executor-egress is a process of its own, and writes to the executor's database
    alone = one_process and not settings.egress_url
    databases = SqliteDatabases(data_dir, clock, ids, alone=alone)
    bus = SqliteBus(
        data_dir / "bus.db",
        clock,
        ids,
        other_processes=not one_process,
        disorder=Disorder(settings.disorder) if settings.disorder else None,
    )
    blobs = FileBlobs(data_dir / "blobs", ids)
    outlook = chosen_outlook(settings, clock, ids)

    def close() -> None:
        databases.close()
        outlook.close()

    keys = partial(load_keyring, data_dir / KEYFILE)
    chosen = (settings, databases, bus, blobs, keys, clock, ids, data_dir, project_dir, close)
    return Engines(*chosen, outlook=outlook)
