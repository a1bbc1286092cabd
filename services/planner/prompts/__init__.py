"""What the model is told, as files beside this one. Their hash goes into everything made with them."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent
SYSTEM, TOOLS = "system.md", "tools.md"


@cache
def prompt(name: str) -> str:
    """The text of one file. The same for every conversation, so that a provider can keep it ready."""
    return (_HERE / name).read_text(encoding="utf-8").strip()


@cache
def tool_descriptions() -> dict[str, str]:
    """Tool name -> what the model is told about it."""
    parts = prompt(TOOLS).split("## ")[1:]
    return {
        name.strip(): " ".join(text.split()) for name, _, text in (part.partition("\n") for part in parts)
    }


@cache
def prompt_hash() -> str:
    """16 hex digits over all texts: equal means the same instructions."""
    digest = hashlib.sha256()
    for path in sorted(_HERE.glob("*.md")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
