"""The only place that chooses bus, store, blobs and clock; nothing else knows which profile runs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from shared.clock import Clock
from shared.runtime.profiles.engines import READS, Engines, prepared
from shared.runtime.settings import Settings

__all__ = ["READS", "Engines", "engines", "prepared"]


def engines(
    settings: Settings, services: Iterable[str], *, project_dir: Path, clock: Clock | None = None
) -> Engines:
    """`clock` replaces the machine's; for tests that let days pass."""
    if settings.profile == "gcp":
        from shared.runtime.profiles import google  # heavy libraries, loaded only where they are used

        return google.engines(settings, services, project_dir=project_dir, clock=clock)
    from shared.runtime.profiles import embedded

    return embedded.engines(settings, services, project_dir=project_dir, clock=clock)
