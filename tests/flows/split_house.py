"""An Agent Builder as `make run-split` starts it: five processes that meet on one data folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from services.all_in_one import SERVICES
from shared.ids import RandomIds
from shared.runtime.server import listen
from shared.store.port import Databases
from shared.store.sqlite import SqliteDatabases
from tests.fakes.clock import FileShiftedClock
from tests.flows.house import House
from tests.flows.lending import lend_packages

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60


class SplitHouse(House):
    """`close` fails when a process had died, did not end cleanly, or logged an error."""

    def __init__(self, folder: Path, *, open_ports: tuple[int, ...] = ()) -> None:
        super().__init__(folder / "data", open_ports=open_ports)
        self._beside = folder
        self.clock = FileShiftedClock(folder / "clock")
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._databases: SqliteDatabases | None = None

    def open(self) -> SplitHouse:
        self.folder.mkdir(mode=0o700)
        lend_packages(self.folder)
        self._databases = SqliteDatabases(self.folder, self.clock, RandomIds())
        with listen(0) as listening:
            self.port = listening.getsockname()[1]
            for service in SERVICES:
                self._start(service, listening.fileno() if service == "gateway" else None)
        return self

    def _start(self, service: str, fd: int | None) -> None:
        command = [sys.executable, "-m", "tests.flows.one_service", service, str(self._beside / "clock")]
        with self._said(service).open("wb") as said:
            self._processes[service] = subprocess.Popen(
                command if fd is None else [*command, str(fd)],
                cwd=ROOT,
                env={**os.environ, **self.environment},
                pass_fds=() if fd is None else (fd,),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=said,
            )

    def close(self) -> None:
        died = [name for name, process in self._processes.items() if process.poll() is not None]
        for process in self._processes.values():
            process.terminate()
        statuses = {name: self._ended(process) for name, process in self._processes.items()}
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
            process.kill()
            process.wait()
            return "did not end when asked"

    def _said(self, service: str) -> Path:
        return self._beside / f"{service}.stderr.txt"

    @property
    def databases(self) -> Databases:
        assert self._databases is not None
        return self._databases
