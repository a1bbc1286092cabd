"""Wires the executor: sandbox, egress gateway, packages, attempts, handlers."""

from __future__ import annotations

import sysconfig
from pathlib import Path

from uv import find_uv_bin

from services.executor.adapters.bubblewrap import BubblewrapSandbox
from services.executor.adapters.uv import UvBuilder
from services.executor.attempts.admission import Admission
from services.executor.attempts.attempts import Attempts, Surroundings
from services.executor.attempts.oneshot import OneShot
from services.executor.attempts.secrets import Revealer
from services.executor.deps import Deps
from services.executor.egress.gateway import EgressGateway
from services.executor.environments.fonts import korean_font
from services.executor.environments.folders import Folders
from services.executor.handlers import HANDLERS
from services.executor.handlers.sweeps import lose_orphans
from services.executor.ports import Enforcement
from services.executor.repository import QUERIES, Runs
from shared.net.allowance import Allowance
from shared.runtime.shell import Kit, Service


def create(kit: Kit) -> Service:
    sandbox = BubblewrapSandbox(kit.data_dir / "sandbox")
    egress = EgressGateway(Allowance.parse(kit.settings.egress_allow_private, {kit.settings.port}), clock=kit.clock)
    folders = Folders(kit.data_dir, kit.ids)
    around = Surroundings(
        store=kit.store,
        gateway=kit.readers["gateway"],
        planner=kit.readers["planner"],
        blobs=kit.blobs,
        clock=kit.clock,
        ids=kit.ids,
        folders=folders,
        egress=egress,
        admission=Admission(),
        reveal=Revealer(kit.readers["gateway"], kit.data_dir),
        fonts=korean_font(),
    )
    attempts = Attempts(around, sandbox)
    deps = Deps(
        clock=kit.clock,
        ids=kit.ids,
        store=kit.store,
        gateway=kit.readers["gateway"],
        planner=kit.readers["planner"],
        blobs=kit.blobs,
        folders=folders,
        attempts=attempts,
        oneshot=OneShot(sandbox, egress),
        builder=UvBuilder(find_uv_bin()),
        checker_dir=Path(__file__).parent / "checker",
        platform_site=Path(sysconfig.get_paths()["purelib"]),
    )

    def start() -> None:
        folders.make()
        attempts.open()
        lose_orphans(Runs(kit.store).of_status("running"), deps)

    def stop() -> None:
        attempts.close()
        egress.stop()

    return Service("executor", HANDLERS, deps, queries=QUERIES, start=start, stop=stop, worker_threads=6)


def enforcement(data_dir: Path) -> Enforcement:
    """What a sandbox on this machine holds to; starts and ends one launcher. For `make doctor`."""
    sandbox = BubblewrapSandbox(data_dir / "sandbox-doctor")
    try:
        return sandbox.enforcement()
    finally:
        sandbox.close()
