"""The question that is put to the model: instructions, tools and conversation, laid out so that what does not
change comes first and is marked to be kept ready."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.planner.builder.tools import tools
from services.planner.builder.transcript import shortened
from services.planner.ports import LlmRequest, Message, Text, ToolResult
from services.planner.prompts import SYSTEM, prompt

MAX_OUTPUT_TOKENS = 16_000  # decision: a file of 60,000 characters does not fit, a long program does
LEAST_OUTPUT_TOKENS = 1_500  # less would only buy a cut-off answer
LIMIT_S = 240.0  # design, section 4: `do` takes 5 minutes at most


def ask(model: str, messages: Sequence[Message]) -> LlmRequest:
    """`messages` whole; shortened here. Three marks: after the tools, after the instructions, at the end."""
    sent = shortened(messages)
    return LlmRequest(
        model=model,
        messages=(*sent[:-1], _marked(sent[-1])),
        max_output_tokens=MAX_OUTPUT_TOKENS,
        limit_s=LIMIT_S,
        system=(Text(prompt(SYSTEM), cache="5m"),),
        tools=tools(),
    )


def _marked(message: Message) -> Message:
    """With a mark on its last block, where that can carry one."""
    if not message.blocks:
        return message
    last = message.blocks[-1]
    if message.role == "user" and isinstance(last, Text | ToolResult):
        return replace(message, blocks=(*message.blocks[:-1], replace(last, cache="5m")))
    return message


def estimated_tokens(request: LlmRequest) -> int:
    """An upper guess for a server that cannot count: a token holds at least two bytes of what is sent, except in
    scripts where one letter may be more than one; those have three bytes a letter."""
    size = sum(len(text.text.encode()) for text in request.system)
    size += sum(len(tool.description) + len(str(tool.schema)) for tool in request.tools)
    size += sum(len(str(block).encode()) for message in request.messages for block in message.blocks)
    return size // 2 + 500
