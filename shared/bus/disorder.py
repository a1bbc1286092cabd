"""What a bus may legally do to events, on purpose: doubled, late, out of order. For tests and drills."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence

from shared.events.envelope import Envelope


class Disorder:
    """The same seed and calls give the same decisions. Nothing is ever dropped."""

    def __init__(
        self, seed: int, *, doubled: float = 0.5, late: float = 0.3, max_delay_s: float = 0.2
    ) -> None:
        self._random = random.Random(seed)
        self._doubled = doubled
        self._late = late
        self._max_delay_s = max_delay_s
        self._lock = threading.Lock()

    def arrange(self, envelopes: Sequence[Envelope]) -> list[tuple[Envelope, float]]:
        """Each event once or twice, shuffled, with the seconds to hold it back (0: now)."""
        with self._lock:
            copies = [e for e in envelopes for _ in range(2 if self._random.random() < self._doubled else 1)]
            self._random.shuffle(copies)
            return [
                (
                    e,
                    self._random.uniform(0.001, self._max_delay_s)
                    if self._random.random() < self._late
                    else 0.0,
                )
                for e in copies
            ]
