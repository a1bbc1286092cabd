"""How one message on its way out ended."""

from __future__ import annotations

import re
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


_MARKUP = re.compile(r"\\(?=[!-/:-@\[-`{-~])|\*\*|^[#>\-*\s]+|\[([^\]]*)\]\([^)]*\)")
_HEADLINE = 120


def headline(report: str) -> str:
    """What a report says first, as one plain line: its first line that is no heading. "" for an empty one."""
    lines = [line.strip() for line in report.splitlines() if line.strip()]
    body = next((line for line in lines if not line.startswith("#")), lines[0] if lines else "")
    plain = _MARKUP.sub(lambda match: match[1] or "", body)
    return plain if len(plain) <= _HEADLINE else plain[: _HEADLINE - 1] + "…"
