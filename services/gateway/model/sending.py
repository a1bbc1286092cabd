"""How one message on its way out ended."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class SendOutcome(BaseModel):
    """used: the vault entry was opened. host: where it went; the receipt names it, never the address.
    text: the whole text when the event carried only its start."""

    model_config = ConfigDict(frozen=True)

    status: Literal["sent", "failed", "unknown"]
    detail: str = ""
    host: str = ""
    used: bool = False
    text: str | None = None
