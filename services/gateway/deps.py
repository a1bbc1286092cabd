"""Everything this service can touch, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from services.gateway.model.door import Door
from services.gateway.ports import Brake, Slots, Vault, Webhook
from shared.blobs.port import Blobs
from shared.bus.port import Bus
from shared.clock import Clock, stamp
from shared.ids import Ids
from shared.store.port import Reader, Store, Watch
from shared.telemetry.watching import Watching


@dataclass(frozen=True)
class Deps:
    """readers: other services' databases by name (planner, executor, scheduler, ledger), read-only.

    watch(service, collections): wakes on changes there; the caller closes it.
    """

    door: Door
    clock: Clock
    ids: Ids
    store: Store
    readers: Mapping[str, Reader]
    watch: Callable[[str, Sequence[str]], Watch]
    blobs: Blobs
    bus: Bus
    vault: Vault
    webhook: Webhook
    brake: Brake
    slots: Slots
    watching: Watching

    def now(self) -> str:
        return stamp(self.clock.now())
