"""A request of the Llm port as the fields of a Messages API call."""

from __future__ import annotations

from typing import Any

from services.planner.ports import (
    Block,
    CacheFor,
    LlmRequest,
    Opaque,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
)


def asked(request: LlmRequest) -> dict[str, Any]:
    """What both calls take: everything that is counted as input."""
    fields: dict[str, Any] = {
        "model": request.model,
        "messages": [
            {"role": message.role, "content": [_block(block) for block in message.blocks if _says(block)]}
            for message in request.messages
        ],
    }
    if system := [_block(text) for text in request.system if text.text]:
        fields["system"] = system
    if request.tools:
        fields["tools"] = [_tool(tool) for tool in request.tools]
        fields["tool_choice"] = {"type": request.tool_choice}
    if request.thinking is not None:
        fields["thinking"] = _thinking(request.thinking)
    if request.effort is not None:
        fields["output_config"] = {"effort": request.effort}
    return fields


def answered(request: LlmRequest) -> dict[str, Any]:
    """What a call that writes takes."""
    return asked(request) | {"max_tokens": request.max_output_tokens}


def _says(block: Block) -> bool:
    return not isinstance(block, Text) or bool(block.text)


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Text():
            return _kept({"type": "text", "text": block.text}, block.cache)
        case Thinking():
            return {"type": "thinking", "thinking": block.text, "signature": block.signature}
        case ToolCall():
            sent = {"malformed": block.raw} if block.input is None else dict(block.input)
            return {"type": "tool_use", "id": block.id, "name": block.name, "input": sent}
        case ToolResult():
            result = {"type": "tool_result", "tool_use_id": block.call_id, "is_error": block.failed}
            if block.text:
                result["content"] = block.text
            return _kept(result, block.cache)
        case Opaque():
            return dict(block.data)


def _tool(tool: Tool) -> dict[str, Any]:
    described = {"name": tool.name, "description": tool.description, "input_schema": dict(tool.schema)}
    return _kept(described, tool.cache)


def _thinking(wanted: str | int) -> dict[str, Any]:
    """Summaries are asked for: some models would send signatures alone, and a person watches."""
    if wanted == "off":
        return {"type": "disabled"}
    if wanted == "adaptive":
        return {"type": "adaptive", "display": "summarized"}
    return {"type": "enabled", "budget_tokens": wanted, "display": "summarized"}


def _kept(fields: dict[str, Any], cache: CacheFor | None) -> dict[str, Any]:
    return fields if cache is None else fields | {"cache_control": {"type": "ephemeral", "ttl": cache}}
