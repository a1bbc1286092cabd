"""Wires the executor: which sandbox, which way out, which package tool."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from services.executor.adapters.choice import elsewhere, makers
from services.executor.adapters.index import installer
from services.executor.attempts.job_builder import Elsewhere
from services.executor.deps import assemble
from services.executor.egress.gateway import EgressGateway
from services.executor.handlers import HANDLERS
from services.executor.handlers.sweeps import begin, end
from services.executor.repository import QUERIES
from services.executor.routes import PREFIX, run_api
from services.executor.siege import chosen, proof
from services.executor.siege import doctor as attacks
from shared.clock import SystemClock
from shared.net.allowance import Allowance
from shared.runtime.settings import Settings
from shared.runtime.shell import Kit, Service


def create(kit: Kit) -> Service:
    sandbox = chosen.ChosenSandbox(makers(kit.settings, kit.data_dir / "sandbox"), kit.data_dir)
    allowance = Allowance.parse(kit.settings.egress_allow_private, {kit.settings.port})
    egress = EgressGateway(allowance, clock=kit.clock)
    runs = elsewhere(kit, proof.version())
    jobs = Elsewhere(runs, runs.packed) if runs else None
    deps = assemble(kit, sandbox, runs, egress, *installer(kit.settings.package_index), jobs)
    life, web = (lambda: begin(deps), lambda: end(deps, egress.stop)), run_api(runs)
    return Service("executor", HANDLERS, deps, web, QUERIES, *life, worker_threads=6, below=PREFIX)


def doctor(settings: Settings, data_dir: Path, say: attacks.Say) -> bool:
    """Whether runs may start here. The attacks run in a sandbox of their own, beside a platform that runs."""
    folder = data_dir / "sandbox-doctor"
    with closing(chosen.ChosenSandbox(makers(settings, folder), folder)) as sandbox:  # knows no earlier proof
        return attacks.examine(sandbox, folder / "siege", data_dir, SystemClock(), say)
