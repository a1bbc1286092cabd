"""How many sandboxes begin at the same moment.

Beginning one keeps a processor busy for thirty milliseconds. Eight at once on two processors begin no sooner than
in turn, but all threads of the platform meet each other on the way: measured on two, that took a tenth more of
both processors for each run.
"""

from __future__ import annotations

import os
import threading

# Decision: one more than processors, since a beginning sandbox also waits, for the kernel and for its first message.
_MORE = 1
# Where a sandbox takes this long to reach its first line others need not wait for it.
_PATIENCE_S = 1.0


class Starting:
    """Thread-safe. `places` None: for the processors of this machine."""

    def __init__(self, places: int | None = None, patience_s: float = _PATIENCE_S) -> None:
        self._free = threading.Semaphore(places or (os.cpu_count() or 1) + _MORE)
        self._patience_s = patience_s
        self._inside: set[str] = set()
        self._lock = threading.Lock()

    def enter(self, attempt_id: str) -> None:
        """Returns when it may begin: at its turn, or when it has waited long enough. `leave` follows."""
        if self._free.acquire(timeout=self._patience_s):
            with self._lock:
                self._inside.add(attempt_id)

    def leave(self, attempt_id: str) -> None:
        """It has begun, or never will. Any number of times."""
        with self._lock:
            if attempt_id not in self._inside:
                return
            self._inside.remove(attempt_id)
        self._free.release()
