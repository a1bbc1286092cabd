"""Everything the ledger's handlers can touch."""

from __future__ import annotations

from dataclasses import dataclass

from shared.clock import Clock


@dataclass(frozen=True)
class Deps:
    """month_tokens: the cap a workspace's new month begins with."""

    clock: Clock
    month_tokens: int
