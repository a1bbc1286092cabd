"""A real clock that can be set forward: waiting takes real time, days pass when told to."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta


class ShiftedClock:
    def __init__(self) -> None:
        self._shift = timedelta()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        with self._lock:
            return datetime.now(UTC) + self._shift

    def monotonic(self) -> float:
        return time.monotonic()

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        return event.wait(timeout_s)

    def forward_to(self, moment: datetime) -> None:
        with self._lock:
            self._shift += max(timedelta(), moment - (datetime.now(UTC) + self._shift))
