"""Real clocks that can be set forward: waiting takes real time, days pass when told to."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path


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


class FileShiftedClock:
    """The same for several processes: how far it is set forward stands in a file they share."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> datetime:
        return datetime.now(UTC) + self._shift()

    def monotonic(self) -> float:
        return time.monotonic()

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        return event.wait(timeout_s)

    def forward_to(self, moment: datetime) -> None:
        """One process sets it, the others follow at their next look."""
        shift = self._shift() + max(timedelta(), moment - self.now())
        beside = self._path.with_suffix(".new")
        beside.write_text(repr(shift.total_seconds()))
        beside.rename(self._path)

    def _shift(self) -> timedelta:
        try:
            return timedelta(seconds=float(self._path.read_text()))
        except FileNotFoundError:
            return timedelta()
