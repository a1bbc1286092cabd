"""Houses as deployed with lines in them that a test can cut or hold."""

from __future__ import annotations

from pathlib import Path

from shared.runtime.server import listen
from tests.flows.cutting import Line
from tests.flows.google_split_house import GoogleSplitHouse

_NEXT = "executor-next"


class CutGoogleHouse(GoogleSplitHouse):
    """line: between its jobs and their way out."""

    line: Line

    def way_out(self, address: str) -> str:
        self.line = Line(_port(address))
        return self.line.url

    def close(self) -> None:
        super().close()
        self.line.close()


class HeldGoogleHouse(GoogleSplitHouse):
    """reports: between its jobs and the executor. bucket: between the executor and its bucket. Both stand through the
    executor's lives."""

    def __init__(self, folder: Path, *, open_ports: tuple[int, ...] = (), seed: int = 0) -> None:
        super().__init__(folder, open_ports=open_ports, seed=seed)
        self.bucket = Line(_port(self.environment["STORAGE_EMULATOR_HOST"]))
        self._reports: Line | None = None
        self._events: Line | None = None
        self._next = 0

    @property
    def reports(self) -> Line:
        assert self._reports is not None
        return self._reports

    def run_api(self, address: str) -> str:
        if self._reports is None:
            self._reports = Line(_port(address))
        return self._reports.url

    def _ways(self, service: str) -> dict[str, str]:
        ways = super()._ways(service)
        return ways | {"STORAGE_EMULATOR_HOST": self.bucket.url} if service == "executor" else ways

    def begin_next(self) -> None:
        """Another executor begins while the one there goes on, as when a revision takes another's place: what is pushed
        goes to either in turn, and so does each connection of a job."""
        with listen(0) as listening:
            self._next = listening.getsockname()[1]
            self._start("executor", listening, name=_NEXT)
        both = (self._next, self._ports["executor"])
        self._events = Line(self._next)
        for line in (self._events, self.reports):
            line.lead(*both)
        self.front.place("executor", _port(self._events.url))

    def leave_to_next(self) -> None:
        """The older one is told to end, and waited for; the other is the executor from now on."""
        assert self._events is not None
        self.reports.lead(self._next)
        self.front.place("executor", self._next)
        self._ports["executor"] = self._next
        self.leave("executor")
        self._processes.rename(_NEXT, "executor")
        self._events.close()
        self._events = None

    def go_on(self) -> None:
        """On both."""
        self.reports.go_on()
        self.bucket.go_on()

    def close(self) -> None:
        self.go_on()
        super().close()
        self.reports.close()
        self.bucket.close()
        if self._events is not None:
            self._events.close()


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])
