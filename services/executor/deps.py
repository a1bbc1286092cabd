"""Everything the executor's handlers can touch, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from services.executor.attempts.attempts import Attempts
from services.executor.attempts.oneshot import OneShot
from services.executor.environments.folders import Folders
from services.executor.ports import EnvironmentBuilder
from shared.blobs.port import Blobs
from shared.clock import Clock, stamp
from shared.events.envelope import Event
from shared.ids import Ids
from shared.store.port import Cause, Reader, Store, Tx


@dataclass(frozen=True)
class Deps:
    """checker_dir/look: folders of platform code that runs in a sandbox. platform_site: this process's own
    packages, lent read-only to the look program."""

    clock: Clock
    ids: Ids
    store: Store
    gateway: Reader
    planner: Reader
    blobs: Blobs
    folders: Folders
    attempts: Attempts
    oneshot: OneShot
    builder: EnvironmentBuilder
    checker_dir: Path
    platform_site: Path

    def now(self) -> str:
        return stamp(self.clock.now())

    def post(self, event: Event, workspace_id: str, also: Callable[[Tx], None] | None = None) -> None:
        """Commit one event (and what `also` writes) from within a slow handler's `do`: progress only."""

        def work(tx: Tx) -> None:
            if also is not None:
                also(tx)
            tx.emit(event)

        self.store.transact(work, cause=Cause(workspace_id, "service:executor"))
