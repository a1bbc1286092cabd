"""A workshop whose packages are installed by executions of a job, on a stand-in for Cloud Run."""

from __future__ import annotations

from pathlib import Path

from services.executor.adapters.index import installer
from services.executor.attempts.index_ways import LocalIndexWays
from services.executor.attempts.job_builder import Elsewhere, JobBuilder
from services.executor.egress.gateway import EgressGateway
from services.executor.environments.facts import Facts
from services.executor.environments.judging import Judge
from services.executor.environments.mirror import IndexMirror
from services.executor.environments.source import IndexSource
from shared.blobs.port import Blobs
from shared.ids import RandomIds
from tests.contract.remote_sandbox import RemoteHouse
from tests.workshop import Shop


class JobWorkshop(Shop):
    """blobs: where the files lie; None: in a folder that gives no links. close() ends everything."""

    def __init__(self, root: Path, index: str, *, blobs: Blobs | None = None) -> None:
        super().__init__()
        root.mkdir(parents=True, exist_ok=True)
        root.chmod(0o755)
        self.root = root
        self.house = RemoteHouse(root / "house", blobs=blobs)
        self.sandbox = self.jobs = self.house.sandbox
        self.egress = EgressGateway()
        self.ids = RandomIds()
        self._index = index
        self._lives: list[JobBuilder] = []
        self.builder = self.another()

    def another(self) -> JobBuilder:
        """Of another life of the executor, on a disk of its own."""
        clock = self.house.clock
        source = IndexSource(installer(self._index)[1], clock=clock)
        disk = self.root / self.ids.new("disk")
        made = JobBuilder(
            Elsewhere(self.jobs, self.jobs.packed),
            LocalIndexWays(self.egress, IndexMirror(source)),
            source,
            Judge(Facts(source, disk / "facts", clock), clock),
            clock,
            self.ids,
            disk / "builds",
            disk / "environments",
        )
        self._lives.append(made)
        return made

    def close(self) -> None:
        for builder in self._lives:
            builder.close()
        self.house.close()
        self.egress.stop()
