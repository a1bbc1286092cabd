"""A count of attempts in this process's memory: enough for one machine's sign-in."""

from __future__ import annotations

import threading
from collections import deque

from shared.clock import Clock


class MemoryBrake:
    """At most `attempts` in `window_s` seconds for one caller; ten times that for all together."""

    def __init__(self, clock: Clock, attempts: int = 10, window_s: float = 60) -> None:
        self._clock = clock
        self._attempts = attempts
        self._window_s = window_s
        self._seen: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def allow(self, who: str) -> bool:
        with self._lock:
            return self._count(who, self._attempts) and self._count("", self._attempts * 10)

    def _count(self, who: str, at_most: int) -> bool:
        now = self._clock.monotonic()
        if who not in self._seen and len(self._seen) > 10_000:
            self._seen.clear()  # memory stays bounded; the total's own count starts anew with it
        times = self._seen.setdefault(who, deque())
        while times and times[0] <= now - self._window_s:
            times.popleft()
        if len(times) >= at_most:
            return False
        times.append(now)
        return True
