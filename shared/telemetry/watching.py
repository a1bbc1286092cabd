"""What a service is given to tell about itself with."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.telemetry.metrics import Meter
from shared.telemetry.trace import Tracer


@dataclass(frozen=True)
class Watching:
    """By itself: counts that nobody reads, traces that go nowhere."""

    tracer: Tracer = field(default_factory=Tracer)
    meter: Meter = field(default_factory=Meter)
