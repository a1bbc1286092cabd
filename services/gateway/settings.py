"""This service's own settings, taken from the process's one value object."""

from __future__ import annotations

from pathlib import Path

from services.gateway.model.door import Door
from shared.runtime.settings import Settings


def door(settings: Settings, project_dir: Path, data_dir: Path) -> Door:
    claude = settings.planner == "claude" or (settings.planner == "auto" and bool(settings.anthropic_api_key))
    return Door(
        public_url=settings.public_url.rstrip("/"),
        owner_token=settings.owner_token,
        page=project_dir / "web" / "dist",
        page_status=data_dir / "web-build.json",
        engine="claude" if claude else "recipes",
        connectable=settings.planner != "recipes",
        model=settings.model,
        month_tokens=settings.month_tokens,
        files_url=settings.files_url.rstrip("/"),
    )
