"""Wires the executor: which sandbox, which way out, which package tool."""

from __future__ import annotations

from pathlib import Path

from uv import find_uv_bin

from services.executor.adapters.bubblewrap import BubblewrapSandbox
from services.executor.adapters.index import index_of
from services.executor.deps import assemble
from services.executor.egress.gateway import EgressGateway
from services.executor.handlers import HANDLERS
from services.executor.handlers.sweeps import begin, end
from services.executor.ports import Enforcement
from services.executor.repository import QUERIES
from shared.net.allowance import Allowance
from shared.runtime.shell import Kit, Service


def create(kit: Kit) -> Service:
    sandbox = BubblewrapSandbox(kit.data_dir / "sandbox")
    allowance = Allowance.parse(kit.settings.egress_allow_private, {kit.settings.port})
    egress = EgressGateway(allowance, clock=kit.clock)
    tool = find_uv_bin()
    deps = assemble(kit, sandbox, egress, tool, lambda: index_of(kit.settings.package_index, tool))
    start, stop = (lambda: begin(deps)), (lambda: end(deps, egress.stop))
    return Service("executor", HANDLERS, deps, queries=QUERIES, start=start, stop=stop, worker_threads=6)


def enforcement(data_dir: Path) -> Enforcement:
    """What a sandbox on this machine holds to; starts and ends one launcher. For `make doctor`."""
    sandbox = BubblewrapSandbox(data_dir / "sandbox-doctor")
    try:
        return sandbox.enforcement()
    finally:
        sandbox.close()
