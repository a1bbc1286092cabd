"""Everything the scheduler's handlers can touch."""

from __future__ import annotations

from dataclasses import dataclass

from shared.clock import Clock
from shared.telemetry.trace import Tracer


@dataclass(frozen=True)
class Deps:
    clock: Clock
    tracer: Tracer
