"""Wires the ledger."""

from __future__ import annotations

from services.ledger.deps import Deps
from services.ledger.handlers import HANDLERS
from services.ledger.repository import QUERIES
from shared.runtime.shell import Kit, Service


def create(kit: Kit) -> Service:
    deps = Deps(clock=kit.clock, month_tokens=kit.settings.month_tokens)
    return Service(name="ledger", handlers=HANDLERS, deps=deps, queries=QUERIES)
