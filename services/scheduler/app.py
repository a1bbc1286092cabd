"""Wires the scheduler."""

from __future__ import annotations

from services.scheduler.deps import Deps
from services.scheduler.handlers import HANDLERS
from services.scheduler.repository import QUERIES
from shared.runtime.shell import Kit, Service


def create(kit: Kit) -> Service:
    return Service(name="scheduler", handlers=HANDLERS, deps=Deps(clock=kit.clock), queries=QUERIES)
