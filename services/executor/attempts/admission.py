"""Which runs may start now: promised memory and a share per workspace must fit the machine."""

from __future__ import annotations

import os
import threading


class Admission:
    """Counts promises, not use. `memory_bytes` None: three quarters of what this machine has."""

    def __init__(self, *, memory_bytes: int | None = None, slots: int | None = None) -> None:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        self._memory = memory_bytes if memory_bytes is not None else machine * 3 // 4
        # Decision: four runs per core; most wait for a web site, not for the processor.
        self._slots = slots if slots is not None else 4 * (os.cpu_count() or 1)
        self._held: dict[str, tuple[str, int]] = {}
        self._lock = threading.Lock()

    def enter(self, attempt_id: str, workspace_id: str, memory_bytes: int) -> bool:
        """True when the attempt may start; it then holds its promise until `leave`. Entering twice is one
        promise. A workspace gets at most half the slots while another workspace runs, too."""
        with self._lock:
            if attempt_id in self._held:
                return True
            promised = sum(memory for _, memory in self._held.values())
            if len(self._held) >= self._slots or (self._held and promised + memory_bytes > self._memory):
                return False
            mine = sum(1 for workspace, _ in self._held.values() if workspace == workspace_id)
            if mine < len(self._held) and mine >= max(1, self._slots // 2):
                return False
            self._held[attempt_id] = (workspace_id, memory_bytes)
            return True

    def leave(self, attempt_id: str) -> None:
        with self._lock:
            self._held.pop(attempt_id, None)
