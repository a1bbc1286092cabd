"""The real values one run has used so far, and the mask that hides them. Lives on the gateway's loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor

from services.executor.egress.masking import Mask
from services.executor.egress.model import EgressRun, SecretBinding
from shared.errors import Unavailable


class Vault:
    """Asks `EgressRun.reveal` once per secret and only when its placeholder is on its way to its host."""

    def __init__(self, run: EgressRun, threads: Executor) -> None:
        self._run = run
        self._threads = threads
        self._values: dict[str, str] = {}
        self._lock = asyncio.Lock()
        self.mask = Mask({})
        # From the first request on: an answer may still be arriving when a secret is first used.
        self.guarded = bool(run.secrets)

    async def values(self, bindings: Sequence[SecretBinding]) -> dict[str, str]:
        """Placeholder -> real value. Raises: Unavailable, code `secret_unavailable`."""
        async with self._lock:
            for binding in bindings:
                if binding.placeholder not in self._values:
                    self._values[binding.placeholder] = await self._reveal(binding.name)
                    self.mask = Mask(self._values)
        return {binding.placeholder: self._values[binding.placeholder] for binding in bindings}

    async def _reveal(self, name: str) -> str:
        reveal = self._run.reveal
        if reveal is None:
            raise Unavailable(f"the secret {name} cannot be used in this run", code="secret_unavailable")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, reveal, name)
        except Exception:  # noqa: BLE001  its text may hold what must stay hidden, so nothing of it is shown
            text = f"the secret {name} cannot be read at the moment"
            raise Unavailable(text, code="secret_unavailable") from None
