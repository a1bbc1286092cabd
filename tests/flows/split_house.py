"""An Agent Builder as `make run-split` starts it: five processes that meet on one data folder."""

from __future__ import annotations

from pathlib import Path

from services.all_in_one import SERVICES
from shared.ids import RandomIds
from shared.runtime.server import listen
from shared.store.port import Databases
from shared.store.sqlite import SqliteDatabases
from tests.fakes.clock import FileShiftedClock
from tests.flows.house import House
from tests.flows.lending import lend_packages
from tests.flows.service_processes import ServiceProcesses


class SplitHouse(House):
    """`close` fails when a process had died, did not end cleanly, or logged an error."""

    def __init__(self, folder: Path, *, open_ports: tuple[int, ...] = ()) -> None:
        super().__init__(folder / "data", open_ports=open_ports, disorder=0)
        self.clock = FileShiftedClock(folder / "clock")
        self._processes = ServiceProcesses(folder, folder / "clock", forked=False)
        self._databases: SqliteDatabases | None = None

    def open(self) -> SplitHouse:
        self.folder.mkdir(mode=0o700)
        lend_packages(self.folder)
        self._databases = SqliteDatabases(self.folder, self.clock, RandomIds())
        with listen(0) as listening:
            self.port = listening.getsockname()[1]
            for service in SERVICES:
                fd = listening.fileno() if service == "gateway" else None
                self._processes.start(service, self.environment, fd)
        return self

    def close(self) -> None:
        wrong = self._processes.close()
        if self._databases is not None:
            self._databases.close()
        assert wrong == "", wrong

    @property
    def databases(self) -> Databases:
        assert self._databases is not None
        return self._databases
