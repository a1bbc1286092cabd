"""Wakes whoever waits for a change: at once inside a process, by polling a number across processes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from shared.clock import Clock

_POLL_S = 0.02  # decision: a fifth of the 100 ms a watcher may wait (design, section 5)


class SignalWatch:
    """With `poll`, a change is a change of the polled number; without, a notification."""

    def __init__(
        self,
        clock: Clock,
        collections: Sequence[str],
        *,
        poll: Callable[[], int] | None = None,
        on_close: Callable[[], None] | None = None,
    ) -> None:
        self.collections = frozenset(collections)
        self._clock = clock
        self._event = threading.Event()
        self._poll = poll
        self._seen = poll() if poll else 0
        self._on_close = on_close

    def concerns(self, changed: str) -> bool:
        """changed: a collection, or `collection/id` where the store says which document."""
        name, _, id = changed.partition("/")
        return any(
            part == name or (part.startswith(f"{name}/") and (not id or changed.startswith(part)))
            for part in self.collections
        )

    def wake(self) -> None:
        self._event.set()

    def wait(self, timeout_s: float) -> bool:
        if self._poll is None:
            if not self._event.wait(timeout_s):
                return False  # not cleared: a wake-up that comes now must be there for the next wait
            self._event.clear()
            return True
        end = self._clock.monotonic() + timeout_s
        while not self._event.is_set():
            now = self._poll()
            if now != self._seen:
                self._seen = now
                return True
            left = end - self._clock.monotonic()
            if left <= 0:
                return False
            self._clock.wait(self._event, min(_POLL_S, left))
        return True

    def close(self) -> None:
        self._event.set()
        if self._on_close:
            self._on_close()


class Signal:
    """All watches of one store in this process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._watches: list[SignalWatch] = []
        self._lock = threading.Lock()

    def watch(self, collections: Sequence[str]) -> SignalWatch:
        watch = SignalWatch(self._clock, collections, on_close=lambda: self._forget(watch))
        with self._lock:
            self._watches.append(watch)
        return watch

    def _forget(self, watch: SignalWatch) -> None:
        with self._lock:
            if watch in self._watches:
                self._watches.remove(watch)

    def notify(self, changed: set[str] | None) -> None:
        """Collections, or `collection/id`. None: any of them may have changed."""
        with self._lock:
            for watch in self._watches:
                if changed is None or any(map(watch.concerns, changed)):
                    watch.wake()

    def close(self) -> None:
        with self._lock:
            for watch in self._watches:
                watch.wake()
            self._watches.clear()
