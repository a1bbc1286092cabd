"""The practice host's pages by path. Start here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.executor.egress.model import PracticeSetting

HOST = "practice.agentbuilder.test"


@dataclass(frozen=True)
class Page:
    status: int
    content_type: str
    body: bytes


class PracticeSite:
    def answer(self, method: str, path: str, setting: PracticeSetting, today: date) -> Page:
        return Page(200, "text/plain; charset=utf-8", "연습".encode())
