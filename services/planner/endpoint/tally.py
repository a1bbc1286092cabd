"""What an answer says it used, read beside the bytes as they pass. Pure."""

from __future__ import annotations

import json
from typing import Any

from services.planner.ports import Usage

# A real event holds a few words, at most one block; a line without end would fill the memory.
_LONGEST_BYTES = 8 << 20


class StreamTally:
    """Of an event stream. `over`: the answer has said how it stopped and what it used; what follows is goodbye."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._counts: dict[str, Any] = {}
        self._counted = False
        self.over = False

    def hear(self, chunk: bytes) -> None:
        """Never raises: what cannot be read says nothing about use, so that use stays unknown."""
        self._rest += chunk
        *lines, tail = bytes(self._rest).replace(b"\r", b"\n").split(b"\n")
        self._rest = bytearray(tail[:_LONGEST_BYTES])
        for line in lines:
            if line.startswith(b"data:") and (b'"usage"' in line or b'"error"' in line):
                self._event(line[5:])

    def usage(self) -> Usage | None:
        """None when the answer did not tell all of it."""
        return Usage.reported(self._counts) if self._counted and self.over else None

    def _event(self, data: bytes) -> None:
        try:
            event = json.loads(data)
            kind = event["type"]
            if kind == "message_start":
                self._counts = dict(event["message"]["usage"])
            elif kind == "message_delta":
                told = {name: count for name, count in event["usage"].items() if count is not None}
                self._counts |= told
                self._counted = self._counted or "output_tokens" in told
                self.over = self.over or bool(event["delta"].get("stop_reason"))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return


def usage_of(body: bytes) -> Usage | None:
    """Of an answer in one piece."""
    try:
        counts = json.loads(body)["usage"]
        return Usage.reported(counts) if isinstance(counts, dict) else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
