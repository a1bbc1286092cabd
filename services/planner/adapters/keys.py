"""Whose key a call is made with."""

from __future__ import annotations

from services.planner.ports import ModelKey
from shared.runtime.settings import Settings


class OperatorKeys:
    """Only this machine's operator has one, in ANTHROPIC_API_KEY, and only builds may use it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def key_for(self, workspace_id: str) -> ModelKey | None:
        return None

    def builder_key_for(self, workspace_id: str) -> ModelKey | None:
        settings = self._settings
        if not settings.anthropic_api_key or not settings.one_machine:
            return None
        return ModelKey(settings.anthropic_api_key, settings.anthropic_base_url, settings.model, own=False)
