"""A report as an incoming webhook takes it, and what its answer means. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

# Source: Slack "chat.postMessage" reference, truncating content (40,000 characters), read 2026-11.
TEXT_LIMIT = 40_000
_NOTE = {
    "ko": "\n…(메시지가 길어 여기까지만 보냈어요. 전체는 받은 보고서에 있어요.)",
    "en": "\n…(Cut here because the message is long. The whole report is in your inbox.)",
}


@dataclass(frozen=True)
class Verdict:
    """retry: nothing was accepted, a later try may help. detail is for a person, without the address."""

    status: Literal["sent", "failed", "retry"]
    detail: str = ""


def message(text: str, language: str) -> dict[str, str]:
    if len(text) <= TEXT_LIMIT:
        return {"text": text}
    note = _NOTE["ko" if language == "ko" else "en"]
    return {"text": text[: TEXT_LIMIT - len(note)] + note}


def judge(status: int, body: bytes) -> Verdict:
    """Strict: only 2xx with a body that says ok (or says nothing) counts as sent."""
    said = body[:4096].decode("utf-8", "replace").strip()
    if 200 <= status < 300:
        return Verdict("sent") if _says_ok(said) else Verdict("failed", f"{status}, {_short(said)}")
    if status == 429 or status >= 500:
        return Verdict("retry", f"{status} {_short(said)}".strip())
    return Verdict("failed", f"{status} {_short(said)}".strip())


def _says_ok(said: str) -> bool:
    if said.lower() in ("", "ok"):
        return True
    try:
        answer = json.loads(said)
    except (ValueError, RecursionError):
        return False
    return isinstance(answer, dict) and answer.get("ok") is True


def _short(said: str) -> str:
    line = " ".join(said.split())
    return "".join(c for c in line if c.isprintable())[:120]
