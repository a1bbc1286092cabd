"""Dialogues on llmock, a Messages server that others wrote: what ours might do wrongly, it does its own way."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.fakes.llm_script import Call, Reply, Say, Scripted
from tests.needs import unavailable

if TYPE_CHECKING:
    from llmock.testing import LLMockServer


@contextmanager
def foreign_server(replies: Sequence[Scripted]) -> Iterator[LLMockServer]:
    """Plays texts and calls in order; it knows no thinking and reads no results."""
    if importlib.util.find_spec("llmock") is None:
        unavailable("llmock", "pip install llmock")
    from llmock import scenarios
    from llmock.testing import LLMockServer

    with LLMockServer() as server:
        server.state.reset()
        asking = scenarios.Match(path="*/v1/messages")  # counting, which it cannot do, would take a reply
        for reply in replies:
            assert isinstance(reply, Reply), "this server cannot answer what it is told"
            text = "".join(item.text for item in reply.items if isinstance(item, Say))
            calls = tuple(
                scenarios.ToolCall(item.name, dict(item.input or {}))
                for item in reply.items
                if isinstance(item, Call)
            )
            server.state.scenarios.add(scenarios.Reply(text=text or None, tool_calls=calls, match=asking))
        yield server
