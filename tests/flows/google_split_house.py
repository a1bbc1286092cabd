"""An Agent Builder as deployed on Google Cloud, on emulators: five gunicorn processes, pushes, a tick from outside.

Not as there: tokens are put in by `PushFront`, since the emulator sends none; a minute of Cloud Scheduler's takes as
long as this house's tick; refused pushes come again after 0.1 s, where terraform says ten.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from google.cloud.pubsub_v1 import PublisherClient

from services.all_in_one import SERVICES
from services.scheduler.adapters import cloud_scheduler
from shared.errors import Unavailable
from shared.ids import RandomIds
from shared.runtime.server import listen
from shared.store.firestore import FirestoreDatabases
from shared.store.port import Cause, Databases, Store
from tests.cloud_runs import CloudRuns, prove
from tests.fakes.clock import FileShiftedClock
from tests.fakes.cloud_scheduler import FakeCloudScheduler
from tests.fakes.kms import FakeKms
from tests.fakes.push_front import PushFront, pusher, subscribe
from tests.flows.house import House
from tests.flows.lending import lend_packages
from tests.google import emulators, fresh_project, named
from tests.machine import own_mounts

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60
_ONE_SERVICE = (sys.executable, "-m", "tests.flows.one_service")
REGION = "asia-northeast3"
"""Anything: nothing here is anywhere."""
TICK_S = 0.5


class GoogleSplitHouse(House):
    """seed: not 0: every push twice, late and in another order. jobs: runs are executions of a stand-in's jobs, whose
    processes share this machine with the executor; else they are in this machine's sandbox. `close` fails as
    SplitHouse's, but for what `kill` ended."""

    def __init__(
        self, folder: Path, *, open_ports: tuple[int, ...] = (), seed: int = 0, jobs: bool = True
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
        self.front = PushFront(self._pushers, self.clock.now, seed=seed)
        with named(**emulators()):
            self._publisher: Any = PublisherClient()
        self.scheduler = FakeCloudScheduler(self._publish, TICK_S).start()
        self._runs = CloudRuns(folder / "containers") if jobs else None
        self._ports: dict[str, int] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._databases: FirestoreDatabases | None = None

    def open(self) -> GoogleSplitHouse:
        self.kms.__enter__()
        self._databases = FirestoreDatabases(self.project, self.clock, RandomIds())
        with named(**emulators()):
            subscribe(self.project, self.front.endpoint)
            for service in SERVICES:
                _first_commit(self._databases.own(service))
        if self._runs is not None:
            prove(self._databases.own("executor"))
        for service in SERVICES:
            self.start(service)
        for service in SERVICES:
            self.front.wait_for(service)
        assert self.tick_made() == "created"
        return self

    def tick_made(self) -> str:
        """As `make deploy` does it last."""
        there = cloud_scheduler.client(self.scheduler.address)
        return cloud_scheduler.reconcile(there, self.project, REGION)

    def start(self, service: str) -> None:
        """Where it was before, if it was; on a disk of its own, which is new each time."""
        with listen(self._ports.get(service, 0)) as listening:
            port = self._ports[service] = listening.getsockname()[1]
            if service == "gateway":
                self.port = port
            data = self.folder / f"{service}.data" / RandomIds().new("disk")
            lend_packages(data)
            fd = listening.fileno()
            with self._said(service).open("ab") as said:
                self._processes[service] = subprocess.Popen(
                    own_mounts([*_ONE_SERVICE, service, str(self.folder / "clock"), str(fd)]),
                    cwd=ROOT,
                    env={**os.environ, **self.environment, **self._own(service), "AB_DATA_DIR": str(data)},
                    pass_fds=(fd,),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=said,
                    start_new_session=True,
                )
        self.front.place(service, port)

    def _own(self, service: str) -> dict[str, str]:
        pusher = self._pushers[service]
        runs = {}
        if self._runs is not None and service == "executor":
            runs = self._runs.variables(f"http://127.0.0.1:{self._ports['executor']}")
        return {
            **runs,
            "AB_GCP_PROJECT": self.project,
            "AB_PUSH_ACCOUNT": pusher.account,
            "AB_PUSH_AUDIENCE": pusher.audience,
            "AB_PUSH_CERTIFICATES": self.front.certificates,
        }

    def _publish(self, topic: str, data: bytes, attributes: dict[str, str]) -> None:
        self._publisher.publish(topic, data, **attributes)

    def kill(self, service: str) -> None:
        """SIGKILL to all of the service's processes at once, as when an instance is lost."""
        process = self._processes.pop(service)
        os.killpg(process.pid, signal.SIGKILL)
        self._ended(process)

    def close(self) -> None:
        self.scheduler.close()
        died = [name for name, process in self._processes.items() if process.poll() is not None]
        for process in self._processes.values():
            process.terminate()
        statuses = {name: self._ended(process) for name, process in self._processes.items()}
        self.front.close()
        if self._runs is not None:
            self._runs.google.close()
        self.kms.__exit__()
        self._publisher.stop()
        if self._databases is not None:
            self._databases.close()
        said = {name: self._said(name).read_text(errors="replace") for name in self._processes}
        assert died == [], f"died while it should work: {[(name, said[name]) for name in died]}"
        assert set(statuses.values()) <= {0}, f"{statuses} {said}"
        assert not [text for text in said.values() if "ERROR" in text or "Traceback" in text], said

    def _ended(self, process: subprocess.Popen[bytes]) -> int | str:
        assert process.stdin is not None
        process.stdin.close()
        try:
            return process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return "did not end when asked"

    def _said(self, service: str) -> Path:
        return self.folder / f"{service}.stderr.txt"

    @property
    def databases(self) -> Databases:
        assert self._databases is not None
        return self._databases


def _first_commit(store: Store) -> None:
    """The emulator takes its time for a database's first one, on a busy machine longer than a service waits."""
    for _ in range(5):
        try:
            store.transact(lambda tx: tx.put("_opened", "once", {}), cause=Cause("", "service:test"))
        except Unavailable:
            continue
        return
