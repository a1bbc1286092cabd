"""Wires the planner."""

from __future__ import annotations

from services.planner.adapters.recipes import RecipesEngine
from services.planner.deps import Deps
from services.planner.handlers import HANDLERS
from services.planner.repository import QUERIES
from shared.errors import Misconfigured
from shared.runtime.shell import Kit, Service


def create(kit: Kit) -> Service:
    if kit.settings.planner == "claude":
        raise Misconfigured("AB_PLANNER=claude is not available in this version; leave it unset.")
    deps = Deps(
        clock=kit.clock,
        ids=kit.ids,
        store=kit.store,
        gateway=kit.readers["gateway"],
        executor=kit.readers["executor"],
        blobs=kit.blobs,
        engine=RecipesEngine(),
    )
    return Service(name="planner", handlers=HANDLERS, deps=deps, queries=QUERIES)
