"""Everything a house needs so that its runs are executions of Cloud Run Jobs, with Google's part on this machine."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from services.executor.adapters.job_proof import JobProofs
from services.executor.run_api.messages import JobProof
from services.executor.siege import proof
from shared.clock import SystemClock
from shared.ids import RandomIds
from shared.store.port import Store
from tests.fakes.cloud_run import FakeCloudRun

SHAPES = "small:512:gateway,large:4096:gateway"
PROOF = JobProof(
    version=proof.version(),
    at="2026-11-26T00:00:00.000000Z",
    enforced=("wall", "cpu", "memory", "processes", "disk", "inodes", "files", "output"),
    missing={},
    held=1,
    total=1,
)


class CloudRuns:
    """A stand-in for Cloud Run, and the settings that lead there. Use as a context; folder: for its containers.
    forked: as FakeCloudRun's."""

    def __init__(self, folder: Path, *, forked: bool = False) -> None:
        self.google = FakeCloudRun(folder, forked=forked)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.google.close()

    def variables(self, executor: str) -> dict[str, str]:
        """executor: the address at which the service executor listens, as its jobs reach it."""
        return {
            "AB_SANDBOX": "cloud_run",
            "AB_GCP_PROJECT": "p",
            "AB_GCP_REGION": "asia-northeast3",
            "AB_RUN_SHAPES": SHAPES,
            "AB_RUN_API_URL": executor,
            "AB_CLOUD_RUN_HOST": self.google.address,
        }


def prove(executor: Store, found: JobProof = PROOF) -> None:
    """As if `doctor` had held in a job of this version; the executor asks its own database for that."""
    JobProofs(executor, SystemClock(), RandomIds(), found.version, Path()).write(found)
