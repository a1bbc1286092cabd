"""Wires the planner: recipes, and a model where there is a key for one."""

from __future__ import annotations

from services.planner.adapters.keys import OperatorKeys
from services.planner.adapters.models import OpenModels
from services.planner.adapters.recipes import RecipesEngine
from services.planner.builder.workbench import Workbench
from services.planner.deps import Deps
from services.planner.handlers import HANDLERS
from services.planner.repository import QUERIES
from shared.runtime.shell import Kit, Service


def create(kit: Kit) -> Service:
    keys, models = OperatorKeys(kit.settings), OpenModels(kit.clock)
    readers = kit.readers["gateway"], kit.readers["executor"]
    show_every_s = 0.05 if kit.settings.profile == "embedded" else 0.3  # design, section 5
    bench = Workbench(kit.clock, kit.ids, kit.store, *readers, kit.blobs, keys, models, show_every_s)
    deps = Deps(
        kit.clock, kit.ids, kit.store, *readers, kit.blobs, RecipesEngine(), bench, kit.settings.planner
    )
    return Service("planner", HANDLERS, deps, queries=QUERIES, stop=models.close, worker_threads=4)
