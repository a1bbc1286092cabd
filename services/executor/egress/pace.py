"""Politeness towards a host: how long the next request waits. Pure."""

from __future__ import annotations

from services.executor.egress.model import Pace


class Pacer:
    """A token bucket whose takers queue up. One per run and host; not thread-safe."""

    def __init__(self, pace: Pace, now_s: float) -> None:
        self._rate = pace.requests_per_s
        self._burst = max(1, pace.burst)
        self._tokens = float(self._burst)
        self._at = now_s

    def take(self, now_s: float) -> float:
        """Takes the next place and says how many seconds to wait for it; 0 when it is free now."""
        if self._rate <= 0:
            return 0.0
        passed = max(0.0, now_s - self._at)
        self._tokens = min(float(self._burst), self._tokens + passed * self._rate)
        self._at = max(self._at, now_s)
        self._tokens -= 1
        return max(0.0, -self._tokens / self._rate)
