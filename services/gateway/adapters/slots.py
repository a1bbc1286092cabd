"""Counts the live views of this process."""

from __future__ import annotations

import threading


class MemorySlots:
    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._left = at_most
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def take(self) -> bool:
        with self._lock:
            if self._left <= 0:
                return False
            self._left -= 1
            return True

    def give_back(self) -> None:
        with self._lock:
            self._left += 1

    @property
    def taken(self) -> int:
        with self._lock:
            return self._at_most - self._left

    @property
    def closing(self) -> bool:
        return self._closing.is_set()

    def close(self) -> None:
        self._closing.set()
