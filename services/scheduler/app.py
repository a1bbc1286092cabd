"""Wires the scheduler."""

from __future__ import annotations

from services.scheduler.deps import Deps
from services.scheduler.handlers import HANDLERS
from services.scheduler.repository import QUERIES
from shared.errors import Misconfigured
from shared.runtime.settings import Settings
from shared.runtime.shell import Kit, Service


def create(kit: Kit) -> Service:
    return Service(
        name="scheduler", handlers=HANDLERS, deps=Deps(kit.clock, kit.watching.tracer), queries=QUERIES
    )


def reconcile_tick(settings: Settings) -> str:
    """What was done about the job that ticks, as a word. Raises Misconfigured, Unavailable."""
    from services.scheduler.adapters import cloud_scheduler  # Google's packages: only where somebody deploys

    if not (settings.gcp_project and settings.gcp_region):
        raise Misconfigured("Say where: AB_GCP_PROJECT and AB_GCP_REGION.")
    scheduler = cloud_scheduler.client(settings.cloud_scheduler_host)
    return cloud_scheduler.reconcile(scheduler, settings.gcp_project, settings.gcp_region)
