"""How a Messages server counts what it keeps ready: by the documented rules, with made-up tokens of four characters.

Source: platform.claude.com/docs/en/build-with-claude/prompt-caching: everything up to a mark is kept; a later request
reads the longest kept beginning of its own that ends at a block, and writes from there to its last mark.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from services.planner.ports import Usage
from tests.fakes.llm_script import USAGE, Reply, written

_CHARACTERS = 4


class PromptCache:
    """Kept for ever; not thread-safe."""

    def __init__(self) -> None:
        self._kept: set[str] = set()

    def answered(self, body: Mapping[str, Any], reply: Reply) -> Reply:
        """With the figures this request and what is written in the answer come to; a reply whose figures a test
        chose keeps its output."""
        chosen = reply.usage is not USAGE
        output = reply.usage.output if chosen else max(1, tokens(written(reply)))
        return replace(reply, usage=self.usage(body, output))

    def usage(self, body: Mapping[str, Any], output: int) -> Usage:
        """Of one request, which is then kept as its marks say."""
        digest, size, read, last_mark = hashlib.sha256(), 0, 0, 0
        marked: list[str] = []
        for text, mark in _blocks(body):
            digest.update(text.encode())
            size += tokens(text)
            if digest.hexdigest() in self._kept:
                read = size
            if mark:
                marked.append(digest.hexdigest())
                last_mark = size
        self._kept.update(marked)
        written = max(0, last_mark - read)
        return Usage(input=size - read - written, output=output, cache_read=read, cache_write_5m=written)

    @staticmethod
    def counted(body: Mapping[str, Any]) -> int:
        return sum(tokens(text) for text, _ in _blocks(body))


def tokens(text: str) -> int:
    return -(-len(text) // _CHARACTERS)


def _blocks(body: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Tools, instructions, messages: each block's text without its mark, and whether it has one."""
    system = body.get("system", [])
    yield from map(_block, body.get("tools", []))
    yield from map(_block, [{"type": "text", "text": system}] if isinstance(system, str) else system)
    for message in body.get("messages", []):
        content = message["content"]
        for part in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            text, mark = _block(part)
            yield f"{message['role']}:{text}", mark


def _block(part: Mapping[str, Any]) -> tuple[str, bool]:
    plain = {name: value for name, value in part.items() if name != "cache_control"}
    return json.dumps(plain, ensure_ascii=False, sort_keys=True), "cache_control" in part
