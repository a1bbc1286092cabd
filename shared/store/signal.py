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
        # By collection, since most of what is written is watched by nobody: (what the id begins with, watch).
        self._watches: dict[str, list[tuple[str, SignalWatch]]] = {}
        self._lock = threading.Lock()

    def watch(self, collections: Sequence[str]) -> SignalWatch:
        watch = SignalWatch(self._clock, collections, on_close=lambda: self._forget(watch))
        with self._lock:
            for collection in watch.collections:
                name, _, beginning = collection.partition("/")
                self._watches.setdefault(name, []).append((beginning, watch))
        return watch

    def _forget(self, watch: SignalWatch) -> None:
        with self._lock:
            for collection in watch.collections:
                name = collection.partition("/")[0]
                left = [
                    (beginning, one) for beginning, one in self._watches.get(name, ()) if one is not watch
                ]
                if left:
                    self._watches[name] = left
                else:
                    self._watches.pop(name, None)

    def notify(self, changed: set[str] | None) -> None:
        """Collections, or `collection/id`. None: any of them may have changed."""
        with self._lock:
            for one in self._watches if changed is None else changed:
                name, _, id = one.partition("/")
                for beginning, watch in self._watches.get(name, ()):
                    if not id or id.startswith(beginning):
                        watch.wake()

    def close(self) -> None:
        self.notify(None)
        with self._lock:
            self._watches.clear()
