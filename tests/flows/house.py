"""A whole Agent Builder in this process, on a fresh data folder, with a clock that can be set forward."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from services.all_in_one import SERVICES, Application
from shared.clock import stamp
from shared.runtime.server import listen
from shared.runtime.settings import from_environment
from tests.fakes.clock import ShiftedClock
from tests.flows.person import Person

TOKEN = "flow-test-owner-token"


class House:
    def __init__(self, folder: Path, *, open_ports: tuple[int, ...] = (), disorder: int = 0) -> None:
        self.folder = folder
        self.clock = ShiftedClock()
        self._environment = {
            "AB_DATA_DIR": str(folder),
            "AB_PORT": "0",
            "AB_OWNER_TOKEN": TOKEN,
            "AB_EGRESS_ALLOW_PRIVATE": ",".join(f"127.0.0.1:{port}" for port in open_ports),
            "AB_TICK_S": "0.3",
            "AB_DISORDER": str(disorder),
        }
        self.application: Application | None = None
        self.port = 0

    def open(self) -> House:
        listening = listen(0)
        self.port = listening.getsockname()[1]
        settings = from_environment(self._environment)
        self.application = Application(settings, list(SERVICES), listening, self.clock)
        self.application.start()
        return self

    def close(self) -> None:
        if self.application is not None:
            self.application.stop()

    def forward_to_slot(self, agent_id: str, due: datetime) -> None:
        """Set the clock a second past a slot, once the scheduler knows of it: a page is told a new schedule's
        next time before the scheduler has heard of the schedule, and what it hears later counts from then."""
        assert self.application is not None
        scheduler = self.application.engines.databases.own("scheduler")
        watch = scheduler.watch(["schedules"])
        for _ in range(100):
            found = scheduler.get("schedules", agent_id)
            if found is not None and found.data["next_at"] == stamp(due):
                break
            watch.wait(0.1)
        watch.close()
        self.clock.forward_to(due + timedelta(seconds=1))

    def person(self, **more: object) -> Person:
        return Person(self.port, TOKEN, **more)  # type: ignore[arg-type]
