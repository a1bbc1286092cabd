"""What a running agent may ask: the fields of the Messages API listed here, and what each may hold. Pure.

Nothing that is not listed ever reaches the provider: what is sent on is written anew from these shapes. So code in
a sandbox cannot make the provider fetch an address, keep a file, run a tool of its own, or reach another server.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from shared.errors import BadRequest

_BASE64 = re.compile(r"[A-Za-z0-9+/\r\n]*={0,2}[\r\n]*\Z")
# Decision: what libraries write is below 20; pydantic stops at 255.
_DEEPEST = 100
_MEDIA = Literal["image/png", "image/jpeg", "image/gif", "image/webp"]
_NAME = Annotated[str, StringConstraints(min_length=1, max_length=128)]
_DATA = Annotated[str, StringConstraints(pattern=_BASE64)]


class _Listed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ImageSource(_Listed):
    type: Literal["base64"]
    media_type: _MEDIA
    data: _DATA


class PdfSource(_Listed):
    type: Literal["base64"]
    media_type: Literal["application/pdf"]
    data: _DATA


class TextSource(_Listed):
    type: Literal["text"]
    media_type: Literal["text/plain"]
    data: str


class TextBlock(_Listed):
    type: Literal["text"]
    text: str


class ImageBlock(_Listed):
    type: Literal["image"]
    source: ImageSource


class DocumentBlock(_Listed):
    type: Literal["document"]
    source: Annotated[PdfSource | TextSource, Field(discriminator="type")]


class ToolUseBlock(_Listed):
    type: Literal["tool_use"]
    id: _NAME
    name: _NAME
    input: dict[str, Any]


_Inside = Annotated[TextBlock | ImageBlock | DocumentBlock, Field(discriminator="type")]


class ToolResultBlock(_Listed):
    type: Literal["tool_result"]
    tool_use_id: _NAME
    content: str | list[_Inside] | None = None
    is_error: bool | None = None


class ThinkingBlock(_Listed):
    """The model's own, sent back with the results of its calls."""

    type: Literal["thinking"]
    thinking: str
    signature: str


class RedactedThinkingBlock(_Listed):
    type: Literal["redacted_thinking"]
    data: str


_Block = Annotated[
    TextBlock
    | ImageBlock
    | DocumentBlock
    | ToolUseBlock
    | ToolResultBlock
    | ThinkingBlock
    | RedactedThinkingBlock,
    Field(discriminator="type"),
]


class Said(_Listed):
    role: Literal["user", "assistant"]
    content: str | list[_Block]


def _points_inside(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema may point at its own parts, not at one that somebody would have to fetch."""
    below: list[Any] = [schema]
    while below:
        value = below.pop()
        if isinstance(value, dict):
            for name in ("$ref", "$dynamicRef", "$recursiveRef"):
                if isinstance(value.get(name), str) and not value[name].startswith("#"):
                    raise ValueError(f"{name} leads out of the schema")
            below += value.values()
        elif isinstance(value, list):
            below += value
    return schema


class ClientTool(_Listed):
    """A tool the agent runs itself. Tools of the provider have another type, and are refused by it."""

    type: Literal["custom"] | None = None
    name: _NAME
    description: str | None = None
    input_schema: Annotated[dict[str, Any], AfterValidator(_points_inside)]


class ToolChoice(_Listed):
    type: Literal["auto", "any", "tool", "none"]
    name: _NAME | None = None
    disable_parallel_tool_use: bool | None = None


class ThinkingChoice(_Listed):
    type: Literal["enabled", "disabled", "adaptive"]
    budget_tokens: int | None = Field(default=None, ge=1)


class Counted(_Listed):
    """What counting takes. metadata is taken and dropped: it names a person to the provider."""

    model: _NAME
    messages: list[Said] = Field(min_length=1)
    system: str | list[TextBlock] | None = None
    tools: list[ClientTool] | None = None
    tool_choice: ToolChoice | None = None
    thinking: ThinkingChoice | None = None
    metadata: Any = Field(default=None, exclude=True)

    def sent(self) -> dict[str, Any]:
        """As it goes on to the provider."""
        return self.model_dump(mode="json", exclude_unset=True)


class Asked(Counted):
    max_tokens: int = Field(ge=1, le=1_000_000)
    stop_sequences: list[str] | None = None
    stream: bool | None = None
    temperature: float | None = Field(default=None, ge=0, le=1)
    top_k: int | None = Field(default=None, ge=0)
    top_p: float | None = Field(default=None, ge=0, le=1)

    def counting(self) -> dict[str, Any]:
        """The same as a question of how many tokens it holds."""
        return self.model_dump(mode="json", exclude_unset=True, include=set(Counted.model_fields))


K = TypeVar("K", bound=Counted)


def read_asked(body: bytes) -> Asked:
    """Raises: BadRequest naming the first thing that is not listed; `fields` has its path."""
    return _read(Asked, body)


def read_counted(body: bytes) -> Counted:
    """As `read_asked`."""
    return _read(Counted, body)


def _read(kind: type[K], body: bytes) -> K:
    try:
        value = json.loads(body, parse_constant=_no_number)
        # halves of characters and endless numbers go nowhere
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise _refused("body", "the body is no JSON") from error
    if not isinstance(value, dict):
        raise _refused("body", "the body is no JSON object")
    if _deeper_than(value, _DEEPEST):
        raise _refused("body", f"the body is nested more than {_DEEPEST} deep")
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        first = _nearest(error)
        place = _place(first["loc"], value)
        raise _refused(place, _why(first)) from error


def _deeper_than(value: object, deepest: int) -> bool:
    layer = [value]
    for _ in range(deepest):
        below: list[object] = []
        for one in layer:
            if isinstance(one, dict):
                below += one.values()
            elif isinstance(one, list):
                below += one
        layer = below
    return any(isinstance(one, dict | list) for one in layer)


def _nearest(error: ValidationError) -> Any:
    """What is not listed says more than what is missing, and what lies deep more than that a list is no text."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return min(found, key=lambda one: (one["type"] != "extra_forbidden", -len(one["loc"])))


def _place(where: tuple[int | str, ...], value: object) -> str:
    """As the caller wrote it. pydantic also names the member of a union that it tried; that is left out."""
    parts = []
    for number, part in enumerate(where):
        last = number == len(where) - 1
        if not last and isinstance(value, dict) and value.get("type") == part:
            continue
        held, below = _below(value, part)
        if held or (last and not isinstance(value, str)):
            parts.append(str(part))
            value = below
    return ".".join(parts) or "body"


def _below(value: object, part: int | str) -> tuple[bool, object]:
    """Whether there is such a part, and the part."""
    if isinstance(part, int):
        return (True, value[part]) if isinstance(value, list) and part < len(value) else (False, None)
    return (True, value[part]) if isinstance(value, dict) and part in value else (False, None)


def _why(first: Any) -> str:
    if first["type"] == "extra_forbidden":
        return "this field is not available to agents"
    return str(first["msg"])[:200]


def _refused(place: str, why: str) -> BadRequest:
    text = f"{place}: 에이전트는 이렇게 물을 수 없어요. (Agents cannot ask like this: {place}: {why}.)"
    return BadRequest(text, code="not_listed", fields={place: why})


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON")
