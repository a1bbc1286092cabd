"""A whole Agent Builder in this process, on a fresh data folder, with a clock that can be set forward."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from services.all_in_one import EGRESS, SERVICES, Application
from shared.blobs.port import Blobs
from shared.clock import moment, stamp
from shared.ids import RandomIds
from shared.runtime.server import listen
from shared.runtime.settings import from_environment
from shared.store.port import Databases
from shared.store.sqlite import SqliteDatabases
from tests.cloud_runs import CloudRuns, prove
from tests.fakes.clock import FileShiftedClock, ShiftedClock
from tests.flows.holdings import FolderHoldings, Holdings
from tests.flows.lending import LentIndex, lend_packages
from tests.flows.person import Json, Person
from tests.flows.service_processes import ServiceProcesses
from tests.flows.shops import opened
from tests.google import fresh_project

TOKEN = "flow-test-owner-token"
# The seed of a house nobody gave one: 0 delivers in order; else every event comes twice, late and in another order.
SEED = int(os.environ.get("FLOWS_SEED", "0"))
# "deployed": as on Google Cloud, on emulators (google_split_house.py). Else this machine's engines in this process.
PROFILE = os.environ.get("FLOWS_HOUSE", "")
JOBS_PATIENCE_S = 180


class House:
    def __init__(self, folder: Path, *, open_ports: tuple[int, ...] = (), disorder: int = SEED) -> None:
        self.folder = folder
        self.clock: ShiftedClock | FileShiftedClock = ShiftedClock()
        self.environment = {
            "AB_DATA_DIR": str(folder),
            "AB_PORT": "0",
            "AB_OWNER_TOKEN": TOKEN,
            "AB_EGRESS_ALLOW_PRIVATE": opened(open_ports),
            "AB_TICK_S": "0.3",
            "AB_DISORDER": str(disorder),
        }
        self.application: Application | None = None
        self.port = 0

    def open(self) -> House:
        if "AB_PACKAGE_INDEX" not in self.environment:
            lend_packages(self.folder)
        listening = listen(0)
        self.port = listening.getsockname()[1]
        self.prepare()
        settings = from_environment(self.environment)
        self.application = Application(settings, list(SERVICES), listening, self.clock)
        self.application.start()
        return self

    def prepare(self) -> None:
        """Its port is known, and nothing of it begun."""

    def close(self) -> None:
        if self.application is not None:
            self.application.stop()

    @property
    def databases(self) -> Databases:
        assert self.application is not None
        return self.application.engines.databases

    @property
    def blobs(self) -> Blobs:
        assert self.application is not None
        return self.application.engines.blobs

    @property
    def holdings(self) -> Holdings:
        return FolderHoldings(self.folder)

    def forward_to_slot(self, agent_id: str, due: datetime) -> None:
        """Set the clock a second past a slot, once the scheduler knows of it: a page is told a new schedule's
        next time before the scheduler has heard of the schedule, and what it hears later counts from then."""
        scheduler = self.databases.read("scheduler")
        watch = self.databases.watch("scheduler", ["schedules"])
        for _ in range(600):
            found = scheduler.get("schedules", agent_id)
            if found is not None and found.data["next_at"] == stamp(due):
                break
            watch.wait(0.1)
        else:
            raise AssertionError("the scheduler never heard of that slot")
        watch.close()
        self.clock.forward_to(due + timedelta(seconds=1))

    def slot_run(self, person: Person, agent_id: str) -> Json:
        """Lets the agent's next slot come and its run end. Next is what lies ahead of the clock: facts may be late, and
        a page names the slot before until it has heard of the next."""
        agent = person.wait(
            f"/api/v1/agents/{agent_id}",
            lambda a: a["next_at"] is not None and moment(a["next_at"]) > self.clock.now(),
        )
        due = moment(agent["next_at"])
        self.forward_to_slot(agent_id, due)
        slots = person.wait(
            f"/api/v1/slots?agent_id={agent_id}",
            lambda s: any(moment(slot["at"]) == due and slot["settled_at"] for slot in s["items"]),
        )
        slot = next(slot for slot in slots["items"] if moment(slot["at"]) == due)
        assert slot["status"] in ("ran", "late")
        return person.run(slot["run_id"])

    def person(self, **more: object) -> Person:
        return Person(self.port, TOKEN, **more)  # type: ignore[arg-type]


class GoogleHouse(House):
    """With Firestore, Pub/Sub and Cloud Storage under all five services: `emulators` names them, one variable
    each, to this house and (see tests.google.named) to Google's own clients. The sandbox stays this machine's."""

    def __init__(self, folder: Path, *, open_ports: tuple[int, ...], emulators: Mapping[str, str]) -> None:
        super().__init__(folder, open_ports=open_ports, disorder=0)
        self.environment |= {"AB_PROFILE": "gcp", "AB_GCP_PROJECT": fresh_project(), **emulators}


class CloudRunHouse(House):
    """Whose runs are executions of a stand-in's jobs and leave through an executor-egress of its own; everything else
    is as in any house. `close` fails when that process did not end well."""

    def __init__(self, folder: Path, *, open_ports: tuple[int, ...] = ()) -> None:
        super().__init__(folder / "data", open_ports=open_ports)
        self.clock = FileShiftedClock(folder / "clock")
        self.runs = CloudRuns(folder / "containers", forked=True)
        self._index: LentIndex | None = None
        self._processes = ServiceProcesses(folder, folder / "clock", forked=True)

    def prepare(self) -> None:
        self.environment |= self.runs.variables(f"http://127.0.0.1:{self.port}")
        if "AB_PACKAGE_INDEX" not in self.environment:
            self._index = LentIndex()
            self.environment["AB_PACKAGE_INDEX"] = self._index.url
        self.folder.mkdir(mode=0o700, exist_ok=True)
        databases = SqliteDatabases(self.folder, self.clock, RandomIds())
        prove(databases.own("executor"))
        databases.close()
        with listen(0) as listening:
            self.environment["AB_EGRESS_URL"] = f"http://127.0.0.1:{listening.getsockname()[1]}"
            self._processes.start(EGRESS, self.environment, listening.fileno())

    def close(self) -> None:
        super().close()
        self.runs.google.close()
        wrong = self._processes.close()
        if self._index is not None:
            self._index.close()
        assert wrong == "", wrong

    def person(self, **more: object) -> Person:
        """A job more stands between what is said and what comes of it: the packages'."""
        return super().person(**{"patience_s": JOBS_PATIENCE_S, **more})


def new_house(folder: Path, *, open_ports: tuple[int, ...] = (), jobs: bool = False) -> House:
    """Not yet open; which one, FLOWS_HOUSE says. For flows that only use what a person can use. jobs: a deployed one
    runs agents as jobs, which takes seconds longer each."""
    if PROFILE != "deployed":
        return House(folder, open_ports=open_ports)
    from tests.flows.google_split_house import GoogleSplitHouse  # Google's libraries take a second to load

    return GoogleSplitHouse(folder, open_ports=open_ports, seed=SEED, jobs=jobs)
