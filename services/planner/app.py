"""Wires the planner: recipes, and a model where there is a key for one."""

from __future__ import annotations

from services.planner.adapters.keys import ConnectedKeys
from services.planner.adapters.llms import OpenLlms
from services.planner.adapters.model_server import ModelEndpoint
from services.planner.adapters.recipes import RecipesEngine
from services.planner.builder.workbench import Workbench
from services.planner.deps import Deps
from services.planner.handlers import HANDLERS
from services.planner.meter import QUERIES as METER_QUERIES
from services.planner.repository import QUERIES
from shared.net.model_endpoint import PREFIX
from shared.runtime.shell import Kit, Service
from shared.vault.connections import ConnectionKeys


def create(kit: Kit) -> Service:
    gateway, settings = kit.readers["gateway"], kit.settings
    keys = ConnectedKeys(gateway, ConnectionKeys(kit.keys), settings)
    llms = OpenLlms(kit.clock, silence_s=settings.model_silence_s, tracer=kit.watching.tracer)
    readers = gateway, kit.readers["executor"]
    show_every_s = 0.05 if settings.profile == "embedded" else 0.3  # design, section 5
    bench = Workbench(kit.clock, kit.ids, kit.store, *readers, kit.blobs, keys, llms, show_every_s)
    deps = Deps(kit.clock, kit.ids, kit.store, *readers, kit.blobs, RecipesEngine(), bench, settings.planner)
    endpoint = ModelEndpoint(kit, keys)

    def stop() -> None:
        endpoint.stop()
        llms.close()

    queries, start = (*QUERIES, *METER_QUERIES), endpoint.start
    return Service(
        "planner", HANDLERS, deps, endpoint.web, queries, start, stop, worker_threads=4, below=PREFIX
    )
