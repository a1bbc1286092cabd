"""Wires the door: settings, adapters, deps, routes, handlers."""

from __future__ import annotations

from services.gateway.adapters.brake import MemoryBrake
from services.gateway.adapters.slack_webhook import SlackWebhook
from services.gateway.adapters.slots import MemorySlots
from services.gateway.adapters.vault import EnvelopeVault
from services.gateway.deps import Deps
from services.gateway.handlers import HANDLERS
from services.gateway.model.access import OWNER_USER, OWNER_WORKSPACE
from services.gateway.repository.access import ensure_owner, mint_link
from services.gateway.repository.shapes import QUERIES
from services.gateway.routes import web
from services.gateway.settings import door
from shared.net.allowance import Allowance
from shared.net.client import OutboundClient
from shared.runtime.shell import Kit, Service


def create(kit: Kit) -> Service:
    """Raises: Misconfigured when the keyfile may be read by others."""
    own = door(kit.settings, kit.project_dir, kit.data_dir)
    allowance = Allowance.parse(kit.settings.egress_allow_private, {kit.settings.port})
    vault = EnvelopeVault(kit.keys)
    webhook = SlackWebhook(OutboundClient(allowance, clock=kit.clock))
    slots, brake = MemorySlots(own.max_streams), MemoryBrake(kit.clock)
    engines = (kit.clock, kit.ids, kit.store, kit.readers, kit.watch, kit.blobs, kit.bus)
    deps = Deps(own, *engines, vault, webhook, brake, slots, kit.watching)
    ensure_owner(kit.store, kit.clock)
    return Service(kit.name, HANDLERS, deps, web(deps), QUERIES, stop=slots.close)


def sign_in_link(kit: Kit, address: str) -> str:
    """A new link for this machine's owner, for the server's window. address: where the page answers."""
    secret = mint_link(kit.store, kit.clock, kit.ids, workspace_id=OWNER_WORKSPACE, user_id=OWNER_USER)
    return f"{address.rstrip('/')}/#link={secret}"
