"""Everything the planner's handlers can touch."""

from __future__ import annotations

from dataclasses import dataclass

from services.planner.ports import Engine
from shared.blobs.port import Blobs
from shared.clock import Clock, stamp
from shared.ids import Ids
from shared.store.port import Reader, Store


@dataclass(frozen=True)
class Deps:
    clock: Clock
    ids: Ids
    store: Store
    gateway: Reader
    executor: Reader
    blobs: Blobs
    engine: Engine

    def now(self) -> str:
        return stamp(self.clock.now())
