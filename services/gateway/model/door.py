"""What the operator decided about this door. Values only; `settings.py` fills it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Door:
    """public_url: "" when only this machine's own names are served. files_url: another name of the same door
    for what runs made; "": files.localhost on this machine, else none. owner_token: "" for none.

    engine: what builds where no model is connected. connectable: a connection changes that. model: its
    default.

    page: folder of the built page; may not exist yet. page_status: JSON the page's build writes while it
    runs. max_streams: live views this process holds open at once (each holds one server thread).
    """

    public_url: str
    owner_token: str
    page: Path
    page_status: Path
    engine: Literal["recipes", "claude"] = "recipes"
    connectable: bool = True
    model: str = ""
    month_tokens: int = 0
    files_url: str = ""
    max_streams: int = 48
