"""An Agent Builder as deployed on Google Cloud, on emulators: five gunicorn processes, the way out of runs as a sixth
process, pushes, a tick from outside.

Not as there: tokens are put in by `PushFront`, since the emulator sends none; a minute of Cloud Scheduler's takes as
long as this house's tick; refused pushes come again after 0.1 s, where terraform says ten.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from google.cloud.pubsub_v1 import PublisherClient

from services.all_in_one import EGRESS, SERVICES
from services.scheduler.adapters import cloud_scheduler
from shared.blobs.gcs import GcsBlobs
from shared.bus.oidc import Pusher
from shared.errors import Unavailable
from shared.ids import RandomIds
from shared.runtime.profiles.google import bucket
from shared.runtime.server import PortTaken, listen
from shared.store.firestore import FirestoreDatabases
from shared.store.port import Cause, Databases, Store
from tests.cloud_runs import CloudRuns, prove
from tests.fakes.clock import FileShiftedClock
from tests.fakes.cloud_run import FakeCloudRun
from tests.fakes.cloud_scheduler import FakeCloudScheduler
from tests.fakes.kms import FakeKms
from tests.fakes.push_front import PushFront, pusher, subscribe
from tests.flows.google_holdings import GoogleHoldings, Witness
from tests.flows.holdings import Holdings
from tests.flows.house import JOBS_PATIENCE_S, House
from tests.flows.lending import LentIndex, lend_packages
from tests.flows.person import Person
from tests.flows.service_processes import ServiceProcesses
from tests.google import emulators, fresh_project, named

REGION = "asia-northeast3"
"""Anything: nothing here is anywhere."""
TICK_S = 0.5
_CLOSED = frozenset(SERVICES) - {"gateway"}
"""To the public, by terraform."""
_NOBODY = Pusher("nobody", "nowhere")
"""Executor-egress hears no events."""


class GoogleSplitHouse(House):
    """seed: not 0: every push twice, late and in another order. jobs: runs are executions of a stand-in's jobs and
    leave through executor-egress; else they are in the executor's own sandbox and leave through it. `close` fails as
    SplitHouse's, but for what `kill` ended. forked: as ServiceProcesses', and the jobs too."""

    def __init__(
        self,
        folder: Path,
        *,
        open_ports: tuple[int, ...] = (),
        seed: int = 0,
        jobs: bool = True,
        forked: bool = True,
    ) -> None:
        super().__init__(folder, open_ports=open_ports, disorder=0)
        self.clock = FileShiftedClock(folder / "clock")
        self.project = fresh_project()
        self.kms = FakeKms()
        self.environment |= {
            "AB_PROFILE": "gcp",
            "AB_GCP_REGION": REGION,
            "AB_KMS_HOST": self.kms.address,
            **emulators(),
        }
        self._pushers = {name: pusher(self.project, name, f"https://{name}.example.com") for name in SERVICES}
        self.front = PushFront(self._pushers, self.clock.now, seed=seed, cut=_CLOSED)
        with named(**emulators()):
            self._publisher: Any = PublisherClient()
            self._blobs = GcsBlobs(self.project, bucket(self.project))
        self.scheduler = FakeCloudScheduler(self._publish, TICK_S).start()
        self._runs = CloudRuns(folder / "containers", forked=forked) if jobs else None
        self._index: LentIndex | None = None
        self._ports: dict[str, int] = {}
        self._processes = ServiceProcesses(folder, folder / "clock", forked=forked)
        self._databases: FirestoreDatabases | None = None
        self._witness: Witness | None = None
        self._closed = False

    def open(self) -> GoogleSplitHouse:
        self.kms.__enter__()
        self._databases = FirestoreDatabases(self.project, self.clock, RandomIds())
        with named(**emulators()):
            subscribe(self.project, self.front.endpoint)
            self._witness = Witness(self.project, lambda: self.front.heard)
            for service in SERVICES:
                _first_commit(self._databases.own(service))
        if self._runs is not None:
            prove(self._databases.own("executor"))
            if "AB_PACKAGE_INDEX" not in self.environment:
                self._index = LentIndex()
                self.environment["AB_PACKAGE_INDEX"] = self._index.url
        programs = self.programs
        for program in programs:
            self.start(program)
        for program in programs:
            self.front.wait_for(program)
        assert self.tick_made() == "created"
        return self

    @property
    def programs(self) -> tuple[str, ...]:
        """In an order in which each finds the addresses of those before it."""
        way_out = (EGRESS,) if self._runs is not None else ()
        return ("planner", *way_out, *(service for service in SERVICES if service != "planner"))

    def tick_made(self) -> str:
        """As `make deploy` does it last."""
        there = cloud_scheduler.client(self.scheduler.address)
        return cloud_scheduler.reconcile(there, self.project, REGION)

    def start(self, service: str) -> None:
        """Where it was before, if it was; on a disk of its own, which is new each time."""
        with _listening(self._ports.get(service, 0)) as listening:
            port = self._ports[service] = listening.getsockname()[1]
            if service == "gateway":
                self.port = port
            self._start(service, listening)
        self.front.place(service, port)

    def _start(self, service: str, listening: socket.socket) -> None:
        data = self.folder / f"{service}.data" / RandomIds().new("disk")
        lend_packages(data)
        own = {**self.environment, **self._own(service), "AB_DATA_DIR": str(data)}
        self._processes.start(service, own, listening.fileno())

    def _own(self, service: str) -> dict[str, str]:
        pusher = self._pushers.get(service, _NOBODY)
        return {
            **self._ways(service),
            "AB_GCP_PROJECT": self.project,
            "AB_PUSH_ACCOUNT": pusher.account,
            "AB_PUSH_AUDIENCE": pusher.audience,
            "AB_PUSH_CERTIFICATES": self.front.certificates,
            "AB_PUSH_CHECKED": "true" if service in _CLOSED else "",
        }

    def _ways(self, service: str) -> dict[str, str]:
        """As terraform tells them. A planner's socket is on another disk than the executor's."""
        if service == "executor" and self._runs is not None:
            return {
                **self._runs.variables(self.run_api(self._at("executor"))),
                "AB_EGRESS_URL": self.way_out(self._at(EGRESS)),
            }
        return {"AB_PLANNER_URL": self._at("planner")} if service in ("executor", EGRESS) else {}

    def run_api(self, address: str) -> str:
        """Where jobs find the executor, which listens at `address`."""
        return address

    def way_out(self, address: str) -> str:
        """Where jobs find executor-egress, which listens at `address`."""
        return address

    def _at(self, service: str) -> str:
        return f"http://127.0.0.1:{self._ports[service]}"

    def _publish(self, topic: str, data: bytes, attributes: dict[str, str]) -> None:
        self._publisher.publish(topic, data, **attributes)

    def kill(self, service: str) -> None:
        """As when an instance is lost."""
        self._processes.kill(service)

    @property
    def blobs(self) -> GcsBlobs:
        return self._blobs

    @property
    def holdings(self) -> Holdings:
        assert self._witness is not None
        assert self._databases is not None
        clients = {service: self._databases.own(service).client for service in SERVICES}
        return GoogleHoldings(clients, self._blobs, self.folder, self._witness)

    def leave(self, service: str) -> None:
        """As when another version takes its place: told to end, and waited for."""
        self._processes.leave(service)

    @property
    def google(self) -> FakeCloudRun:
        """Where its jobs run."""
        assert self._runs is not None
        return self._runs.google

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self.scheduler.close()
        wrong = self._processes.close()
        self.front.close()
        if self._runs is not None:
            self._runs.google.close()
        if self._index is not None:
            self._index.close()
        self.kms.__exit__()
        self._publisher.stop()
        if self._witness is not None:
            self._witness.close()
        if self._databases is not None:
            self._databases.close()
        assert wrong == "", wrong

    def person(self, **more: object) -> Person:
        return super().person(**({} if self._runs is None else {"patience_s": JOBS_PATIENCE_S}) | more)

    @property
    def databases(self) -> Databases:
        assert self._databases is not None
        return self._databases


def _listening(port: int) -> socket.socket:
    """Who was killed lets go of its port a moment later."""
    for _ in range(200):
        with suppress(PortTaken):
            return listen(port)
        time.sleep(0.05)
    return listen(port)


def _first_commit(store: Store) -> None:
    """The emulator takes its time for a database's first one, on a busy machine longer than a service waits."""
    for _ in range(5):
        try:
            store.transact(lambda tx: tx.put("_opened", "once", {}), cause=Cause("", "service:test"))
        except Unavailable:
            continue
        return
