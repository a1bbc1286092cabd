"""Everything the planner's handlers can touch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from services.planner.builder.workbench import Workbench
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
    bench: Workbench
    engines: Literal["auto", "claude", "recipes"] = "auto"

    def engine_for(self, workspace_id: str) -> Literal["claude", "recipes"]:
        """Claude where there is a key for it, unless the operator has said otherwise."""
        if self.engines != "auto":
            return self.engines
        return "claude" if self.bench.keys.builder_key_for(workspace_id) is not None else "recipes"

    def now(self) -> str:
        return stamp(self.clock.now())
