"""Wires `executor-egress`: the way out of runs on other machines, as a process of its own."""

from __future__ import annotations

import socket

from services.executor.adapters.index import installer
from services.executor.deps import Outside, assemble_outlet
from services.executor.egress.gateway import EgressGateway
from shared.net.allowance import Allowance
from shared.runtime.shell import Kit


def create(kit: Kit, listening: socket.socket) -> Outside:
    """kit: the executor's."""
    allowance = Allowance.parse(kit.settings.egress_allow_private, {kit.settings.port})
    _tool, index = installer(kit.settings.package_index)
    return assemble_outlet(kit, EgressGateway(allowance, clock=kit.clock), listening, index)
