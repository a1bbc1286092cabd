"""Models that are kept open between calls, one per key and server."""

from __future__ import annotations

import threading

from services.planner.adapters.anthropic import AnthropicLlm
from services.planner.ports import Llm, ModelKey
from shared.clock import Clock

_KEPT = 32


class OpenModels:
    """Thread-safe. The one not used for longest is closed when there are too many."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._open: dict[tuple[str, str], AnthropicLlm] = {}

    def open(self, key: ModelKey) -> Llm:
        place = (key.key, key.base_url)
        with self._lock:
            llm = self._open.pop(place, None) or AnthropicLlm(key.key, key.base_url, self._clock)
            self._open[place] = llm
            gone = [self._open.pop(next(iter(self._open)))] if len(self._open) > _KEPT else []
        for llm_gone in gone:
            llm_gone.close()
        return llm

    def close(self) -> None:
        """May be called twice."""
        with self._lock:
            kept, self._open = self._open, {}
        for llm in kept.values():
            llm.close()
