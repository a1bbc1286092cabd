"""Everything an attempt touches on the trusted side, chosen once (deps.py)."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from services.executor.attempts.admission import Admission
from services.executor.attempts.under_way import Keeping
from services.executor.attempts.ways import Ways
from services.executor.egress.model import EgressReport, EgressRun, Recorder
from services.executor.egress.model_host import ModelDoor
from services.executor.environments.folders import Folders
from services.executor.tapes.taped import Tapes
from shared.blobs.port import Blobs
from shared.clock import Clock
from shared.ids import Ids
from shared.records.executor import Run
from shared.store.port import Reader, Store
from shared.telemetry.watching import Watching


class Egress(Protocol):
    """The gateway as an attempt needs it."""

    def open(self, run: EgressRun, listener: socket.socket) -> str: ...

    def close(self, run_id: str) -> EgressReport: ...

    def guard(self, listener: socket.socket, record: Recorder) -> None: ...

    def unguard(self, listener: socket.socket) -> None: ...


@dataclass(frozen=True)
class Surroundings:
    """keeping: where attempts outlive this process; None: they die with it."""

    store: Store
    gateway: Reader
    planner: Reader
    blobs: Blobs
    clock: Clock
    ids: Ids
    folders: Folders
    egress: Egress
    ways: Ways
    admission: Admission
    reveal: Callable[[Run, str, str], str]
    fonts: Path | None
    tapes: Tapes
    warm_bytes: int
    model: Callable[[Run], ModelDoor | None]
    watching: Watching
    keeping: Keeping | None = None
