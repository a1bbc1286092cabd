"""Wires the planner: recipes, and a model where there is a key for one."""

from __future__ import annotations

<<<<<<< ours
from services.planner.adapters.keys import OperatorKeys
from services.planner.adapters.models import OpenModels
=======
from services.planner.adapters.keys import ConnectedKeys
from services.planner.adapters.llms import OpenLlms
>>>>>>> theirs
from services.planner.adapters.recipes import RecipesEngine
from services.planner.builder.workbench import Workbench
from services.planner.deps import Deps
from services.planner.handlers import HANDLERS
from services.planner.repository import QUERIES
from shared.runtime.shell import Kit, Service
from shared.vault.connections import ConnectionKeys


def create(kit: Kit) -> Service:
<<<<<<< ours
    keys, models = OperatorKeys(kit.settings), OpenModels(kit.clock)
    readers = kit.readers["gateway"], kit.readers["executor"]
    show_every_s = 0.05 if kit.settings.profile == "embedded" else 0.3  # design, section 5
    bench = Workbench(kit.clock, kit.ids, kit.store, *readers, kit.blobs, keys, models, show_every_s)
    deps = Deps(
        kit.clock, kit.ids, kit.store, *readers, kit.blobs, RecipesEngine(), bench, kit.settings.planner
    )
    return Service("planner", HANDLERS, deps, queries=QUERIES, stop=models.close, worker_threads=4)
=======
    if kit.settings.planner == "claude":
        raise Misconfigured("AB_PLANNER=claude is not available in this version; leave it unset.")
    llms = OpenLlms(kit.clock)
    deps = Deps(
        clock=kit.clock,
        ids=kit.ids,
        store=kit.store,
        gateway=kit.readers["gateway"],
        executor=kit.readers["executor"],
        blobs=kit.blobs,
        engine=RecipesEngine(),
        keys=ConnectedKeys(kit.readers["gateway"], ConnectionKeys.at(kit.data_dir), kit.settings),
        llms=llms,
    )
    return Service(name="planner", handlers=HANDLERS, deps=deps, queries=QUERIES, stop=llms.close)
>>>>>>> theirs
