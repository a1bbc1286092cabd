"""A house as deployed, between whose jobs and way out is a line that can be cut."""

from __future__ import annotations

from tests.flows.cutting import Line
from tests.flows.google_split_house import GoogleSplitHouse


class CutGoogleHouse(GoogleSplitHouse):
    line: Line

    def way_out(self, address: str) -> str:
        self.line = Line(int(address.rpartition(":")[2]))
        return self.line.url

    def close(self) -> None:
        super().close()
        self.line.close()
