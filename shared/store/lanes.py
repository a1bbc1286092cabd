"""Documents that several threads of one process have just collided over: the next ones wait in line for them.

Trying again and again costs a read and a refused commit each time, and whoever waits longest is the likeliest to lose
again. The store's preconditions stay what decides; a line only keeps this process from racing with itself.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Self

from shared.clock import Clock

# Decisions: a collision says something about the next two seconds; whoever is not let in by then goes on and races.
_HOT_S = 2.0
_WAIT_S = 2.0
_KNOWN = 1000

Key = tuple[str, str]


class _Lane:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.hot_until = 0.0


class Lanes:
    """Thread-safe. Two who want each other's documents wait two seconds at most: no deadlock, one lost race."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._lanes: dict[Key, _Lane] = {}

    def collided(self, keys: Iterable[Key]) -> None:
        now = self._clock.monotonic()
        with self._guard:
            if len(self._lanes) > _KNOWN:
                self._lanes = {key: lane for key, lane in self._lanes.items() if lane.hot_until > now}
            for key in keys:
                self._lanes.setdefault(key, _Lane()).hot_until = now + _HOT_S

    def held(self) -> Held:
        """One transaction's places, for a `with`."""
        return Held(self)

    def lane(self, key: Key) -> threading.Lock | None:
        """None: nobody collided over it lately."""
        with self._guard:
            found = self._lanes.get(key)
        return found.lock if found is not None and found.hot_until > self._clock.monotonic() else None


class Held:
    """What one transaction waits for and holds until it has been committed or refused."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self._locks: dict[Key, threading.Lock] = {}

    def enter(self, key: Key) -> None:
        lock = self._lanes.lane(key) if key not in self._locks else None
        if lock is not None and lock.acquire(timeout=_WAIT_S):
            self._locks[key] = lock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for lock in self._locks.values():
            lock.release()
        self._locks.clear()
