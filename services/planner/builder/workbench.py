"""What a model turn may touch: the stores it reads, the model, and the clock."""

from __future__ import annotations

from dataclasses import dataclass

from services.planner.ports import Keys, Llms
from shared.blobs.port import Blobs
from shared.clock import Clock
from shared.ids import Ids
from shared.store.port import Reader, Store


@dataclass(frozen=True)
class Workbench:
    """show_every_s: how often what the model writes is put before who watches."""

    clock: Clock
    ids: Ids
    store: Store
    gateway: Reader
    executor: Reader
    blobs: Blobs
    keys: Keys
    llms: Llms
    show_every_s: float
