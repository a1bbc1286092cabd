"""Houses as deployed with lines in them that a test can cut or hold."""

from __future__ import annotations

from pathlib import Path

from tests.flows.cutting import Line
from tests.flows.google_split_house import GoogleSplitHouse


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

    def go_on(self) -> None:
        """On both."""
        self.reports.go_on()
        self.bucket.go_on()

    def close(self) -> None:
        self.go_on()
        super().close()
        self.reports.close()
        self.bucket.close()


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])
