"""Everything the executor's handlers can touch, and nothing else."""

from __future__ import annotations

import socket
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from services.executor.attempts.admission import Admission
from services.executor.attempts.attempts import Attempts, RunsElsewhere
from services.executor.attempts.index_ways import IndexWays, LocalIndexWays, RemoteIndexWays
from services.executor.attempts.job_builder import Elsewhere, JobBuilder
from services.executor.attempts.model_use import doors
from services.executor.attempts.oneshot import OneShot
from services.executor.attempts.remote_ways import RemoteWays
from services.executor.attempts.rooms import Rooms
from services.executor.attempts.secrets import Revealer
from services.executor.attempts.surroundings import Egress, Surroundings
from services.executor.attempts.under_way import Keeping
from services.executor.attempts.ways import LocalWays, Ways
from services.executor.egress.gateway import EgressGateway
from services.executor.egress.identity import identity
from services.executor.egress.model_place import ModelPlace, NearbyPlanner, PlannerService
from services.executor.environments.builder import Builder, Places
from services.executor.environments.cache import Cache
from services.executor.environments.facts import Facts
from services.executor.environments.folders import Folders
from services.executor.environments.fonts import korean_font
from services.executor.environments.judging import Judge
from services.executor.environments.mirror import IndexMirror
from services.executor.environments.source import IndexSource
from services.executor.environments.store import WheelStore
from services.executor.ports import EnvironmentBuilder, Sandbox
from services.executor.tapes.keys import TapeKeys
from services.executor.tapes.taped import Tapes
from shared.blobs.port import Blobs
from shared.clock import Clock, stamp
from shared.errors import Misconfigured
from shared.events.envelope import Event
from shared.ids import Ids
from shared.net.model_endpoint import socket_path
from shared.runtime.shell import Kit
from shared.store.port import Cause, Reader, Store, Tx
from shared.vault.run_tokens import AttemptTokens, RunTokens

# Executions at once in one project and region. Source: cloud.google.com/run/quotas (1000); some are left for doctor.
_ELSEWHERE = 950
_CHECKER = Path(__file__).parent / "checker"


@dataclass(frozen=True)
class Deps:
    """checker_dir/look: folders of platform code that runs in a sandbox. platform_site: this process's own
    packages, lent read-only to the look program."""

    clock: Clock
    ids: Ids
    store: Store
    gateway: Reader
    planner: Reader
    blobs: Blobs
    folders: Folders
    attempts: Attempts
    oneshot: OneShot
    tapes: Tapes
    builder: EnvironmentBuilder
    checker_dir: Path
    platform_site: Path
    data_dir: Path

    def now(self) -> str:
        return stamp(self.clock.now())

    def post(self, event: Event, workspace_id: str, also: Callable[[Tx], None] | None = None) -> None:
        """Commit one event (and what `also` writes) from within a slow handler's `do`: progress only."""

        def work(tx: Tx) -> None:
            if also is not None:
                also(tx)
            tx.emit(event)

        self.store.transact(work, cause=Cause(workspace_id, "service:executor"))


@dataclass(frozen=True)
class Outside:
    """`executor-egress`. start returns; stop hands in all that was seen."""

    start: Callable[[], None]
    stop: Callable[[], None]


def assemble(
    kit: Kit,
    sandbox: Sandbox,
    runs: RunsElsewhere | None,
    egress: Egress,
    tool: str,
    index: Callable[[], str],
    elsewhere: Elsewhere | None,
) -> Deps:
    """Everything from what the runtime gives and the chosen adapters. Starts nothing. sandbox: of this machine, for
    the platform's own programs; runs: for agents' code, if it does not run here. elsewhere: where packages are
    installed; None: on this machine."""
    gateway, planner = kit.readers["gateway"], kit.readers["planner"]
    folders = Folders(kit.data_dir, kit.ids)
    tapes = _tapes(kit, "tape-spool")
    around = Surroundings(
        warm_bytes=kit.settings.warm_mb << 20 if runs is None else 0,
        store=kit.store,
        gateway=gateway,
        planner=planner,
        blobs=kit.blobs,
        clock=kit.clock,
        ids=kit.ids,
        folders=folders,
        egress=egress,
        ways=_ways(kit, egress, tapes),
        admission=Admission() if runs is None else Admission(memory_bytes=sys.maxsize, slots=_ELSEWHERE),
        reveal=Revealer(gateway, kit.keys),
        fonts=korean_font(),
        tapes=tapes,
        watching=kit.watching,
        model=doors(_planner(kit), RunTokens(kit.keys, kit.clock)),
        keeping=_keeping(kit) if runs is not None else None,
    )
    oneshot = OneShot(sandbox, egress)
    return Deps(
        data_dir=kit.data_dir,
        clock=kit.clock,
        ids=kit.ids,
        store=kit.store,
        gateway=gateway,
        planner=planner,
        blobs=kit.blobs,
        folders=folders,
        attempts=Attempts(around, sandbox, runs),
        oneshot=oneshot,
        tapes=around.tapes,
        builder=_local_builder(kit, folders, Rooms(oneshot, kit.ids, tool), index)
        if elsewhere is None
        else _job_builder(kit, folders, egress, index, elsewhere),
        checker_dir=_CHECKER,
        platform_site=Path(sysconfig.get_paths()["purelib"]),
    )


def assemble_outlet(
    kit: Kit, egress: EgressGateway, listening: socket.socket, index: Callable[[], str]
) -> Outside:
    """The way out as a process of its own, beside an executor whose database it shares. Starts nothing."""
    from services.executor.attempts.outlet import Means, served  # its library is among the packages of gcp

    means = Means(
        name=kit.ids.new("out"),
        store=kit.store,
        gateway=kit.readers["gateway"],
        clock=kit.clock,
        tapes=_tapes(kit, "tape-spool-egress"),
        egress=egress,
        ring=kit.keys.ring("doors"),
        attempt_of=AttemptTokens(kit.keys, kit.clock).read,
        reveal=Revealer(kit.readers["gateway"], kit.keys),
        model=doors(_planner(kit), RunTokens(kit.keys, kit.clock)),
        index=IndexMirror(source := IndexSource(index, clock=kit.clock)),
    )
    outlet, front = served(means, listening)

    def start() -> None:
        outlet.start()
        front.start()

    def stop() -> None:
        outlet.stop()
        front.stop()
        egress.stop()
        source.close()

    return Outside(start, stop)


def _keeping(kit: Kit) -> Keeping | None:
    """None where the way out of runs is this process, without which they cannot go on."""
    if not kit.settings.egress_url:
        return None
    return Keeping(kit.store, kit.ids.new("exe"), kit.keys.derive("attempt seeds"))


def _ways(kit: Kit, egress: Egress, tapes: Tapes) -> Ways:
    if kit.settings.sandbox != "cloud_run" or not kit.settings.egress_url:
        return LocalWays(egress)
    return RemoteWays(kit.store, kit.clock, tapes, kit.keys.ring("doors"))


def _planner(kit: Kit) -> ModelPlace:
    """Where whatever leaves through this process asks a model."""
    url = kit.settings.planner_url
    return PlannerService(url, identity(url, kit.clock)) if url else NearbyPlanner(socket_path(kit.data_dir))


def _tapes(kit: Kit, spool: str) -> Tapes:
    keys = TapeKeys(kit.store, kit.keys, kit.ids, kit.clock)
    return Tapes(kit.store, kit.blobs, kit.clock, kit.ids, keys, kit.data_dir / spool, _other_clock())


def _other_clock() -> tuple[Path, ...]:
    """The files of the package that moves a program's clock; replays alone get to see them."""
    package, inner = find_spec("time_machine"), find_spec("_time_machine")
    if package is None or inner is None or not package.origin or not inner.origin:
        raise Misconfigured("The package time-machine is not installed.")
    return Path(package.origin).parent, Path(inner.origin)


def _local_builder(kit: Kit, folders: Folders, rooms: Rooms, index: Callable[[], str]) -> Builder:
    places = Places(kit.data_dir, folders.environments, folders.scratch)
    store = WheelStore(kit.data_dir / "wheels", folders.scratch, kit.ids)
    cache = Cache(kit.data_dir, kit.clock, int(kit.settings.package_cache_gb * (1 << 30)), kit.blobs)
    return Builder(rooms, IndexSource(index, clock=kit.clock), store, places, kit.clock, cache)


def _job_builder(
    kit: Kit, folders: Folders, egress: Egress, index: Callable[[], str], elsewhere: Elsewhere
) -> JobBuilder:
    source = IndexSource(index, clock=kit.clock)
    if kit.settings.egress_url:
        ways: IndexWays = RemoteIndexWays(kit.store, kit.clock, kit.keys.ring("doors"))
    else:
        ways = LocalIndexWays(egress, IndexMirror(source))
    judge = Judge(Facts(source, kit.data_dir / "index" / "facts", kit.clock), kit.clock)
    code = kit.data_dir / "builds"
    return JobBuilder(elsewhere, ways, source, judge, kit.clock, kit.ids, code, folders.environments)
