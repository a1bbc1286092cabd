"""`agent.toml`: text ⇄ `AgentFile`. Parsing refuses unknown keys and names every wrong one; writing is
deterministic, so that equal files are equal texts. Comments do not survive a round trip.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from datetime import date, datetime, time
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.agentfile.model import AgentFile, Language
from shared.agentfile.rules import check_agent_file
from shared.errors import BadRequest

MAX_BYTES = 256 * 1024


def parse(text: str, language: Language = "ko") -> AgentFile:
    """The file as values, every rule of `rules.py` held.

    Raises BadRequest; `fields` maps each wrong key ("manifest.hosts[0].port") to what is expected there.
    `language` is that of the error's sentences, not the agent's.
    """
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise BadRequest(
            "agent.toml이 너무 커요. 256 KiB 안으로 줄여 주세요."
            if language == "ko"
            else "agent.toml is too large. Keep it under 256 KiB."
        )
    agent_file = _validated(_loaded(text, language), language)
    check_agent_file(agent_file, language)
    return agent_file


def dump(agent_file: AgentFile) -> str:
    """The text of a file. `parse(dump(x)) == x` for every x that keeps the rules."""
    lines = ["[agent]", *_table(agent_file.agent, always=("name", "summary", "language", "packages"))]
    if agent_file.schedule is not None:
        lines += [
            "",
            "[schedule]",
            *_table(agent_file.schedule, always=("cron", "timezone", "missed", "overlap")),
        ]
    lines += [
        "",
        "[manifest]",
        *_table(agent_file.manifest, always=tuple(set(type(agent_file.manifest).model_fields) - {"tape"})),
    ]
    for check in agent_file.contract:
        lines += ["", "[[contract]]", *_table(check, always=("check",))]
    return "\n".join(lines) + "\n"


def _loaded(text: str, language: Language) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise BadRequest(
            f"agent.toml을 읽을 수 없어요: {error}. 그 줄을 TOML 문법에 맞게 고쳐 주세요."
            if language == "ko"
            else f"agent.toml cannot be read: {error}. Mend that line so that it is TOML."
        ) from error


def _validated(data: dict[str, Any], language: Language) -> AgentFile:
    # Through JSON because strict mode then takes lists for tuples, and still no "443" for 443.
    try:
        return AgentFile.model_validate_json(json.dumps(data, default=_date_text), strict=True)
    except (ValidationError, RecursionError) as error:
        details = error.errors(include_url=False) if isinstance(error, ValidationError) else []
        fields = {_key(d["loc"]): _expected(d, language) for d in details}
        names = ", ".join(list(fields)[:5]) or "agent.toml"
        raise BadRequest(
            f"agent.toml에서 고칠 곳이 있어요: {names}."
            if language == "ko"
            else f"agent.toml needs mending at: {names}.",
            fields=fields,
        ) from error


def _date_text(value: object) -> str:
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def _key(loc: tuple[int | str, ...]) -> str:
    """("manifest", "hosts", 0, "port") -> "manifest.hosts[0].port"."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")


def _known_keys(loc: tuple[int | str, ...]) -> list[str]:
    """The keys that would be right where `loc`'s last part is wrong."""
    model: type[BaseModel] = AgentFile
    for part in loc[:-1]:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        inner = _model_in(field.annotation) if field else None
        if inner is None:
            return []
        model = inner
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _model_in(argument)
        if found is not None:
            return found
    return None


def _expected(detail: ErrorDetails, language: Language) -> str:
    """What should stand at one wrong key, as a sentence."""
    ko = language == "ko"
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        known = _known_keys(detail["loc"])
        near = difflib.get_close_matches(str(detail["loc"][-1]), known, n=1)
        hint = near[0] if near else ", ".join(known)
        return (
            f"모르는 항목이에요. 빼거나 고쳐 주세요: {hint}"
            if ko
            else f"Unknown key. Remove it or use: {hint}"
        )
    if kind == "missing":
        return "꼭 있어야 하는 항목이에요." if ko else "This key is required."
    if kind == "literal_error":
        choices = context.get("expected", "")
        return f"이 가운데 하나를 써 주세요: {choices}" if ko else f"Use one of: {choices}"
    sentence = _KINDS.get(kind)
    if sentence is None:
        return str(detail["msg"])
    return (sentence[0] if ko else sentence[1]).format(**context)


_KINDS: dict[str, tuple[str, str]] = {
    "string_type": ("따옴표로 묶은 글자여야 해요.", "Expected text in quotes."),
    "int_type": ("정수를 써 주세요.", "Expected a whole number."),
    "int_from_float": ("정수를 써 주세요.", "Expected a whole number."),
    "float_type": ("숫자를 써 주세요.", "Expected a number."),
    "finite_number": ("끝이 있는 숫자를 써 주세요.", "Expected a finite number."),
    "bool_type": ("true나 false를 써 주세요.", "Expected true or false."),
    "tuple_type": ("[ ]로 묶은 목록이어야 해요.", "Expected a list in [ ]."),
    "model_type": ("{{ }}로 묶은 표여야 해요.", "Expected a table in {{ }}."),
    "model_attributes_type": ("{{ }}로 묶은 표여야 해요.", "Expected a table in {{ }}."),
    "greater_than_equal": ("{ge} 이상이어야 해요.", "Must be {ge} or more."),
    "less_than_equal": ("{le} 이하여야 해요.", "Must be {le} or less."),
    "string_too_short": ("{min_length}자 이상 써 주세요.", "Use {min_length} characters or more."),
    "string_too_long": ("{max_length}자 안으로 줄여 주세요.", "Use {max_length} characters or fewer."),
    "too_long": ("{max_length}개까지만 쓸 수 있어요.", "At most {max_length} entries."),
    "string_pattern_mismatch": ("이 모양이어야 해요: {pattern}", "Must match: {pattern}"),
}


def _table(part: BaseModel, always: tuple[str, ...] = ()) -> list[str]:
    """`key = value` lines in the model's order; a key at its default is left out unless in `always`."""
    return [f"{name} = {_value(value)}" for name, value in _said(part, always)]


def _said(part: BaseModel, always: tuple[str, ...]) -> list[tuple[str, Any]]:
    said = []
    for name, field in type(part).model_fields.items():
        value = getattr(part, name)
        if value is not None and (name in always or field.is_required() or value != field.default):
            said.append((name, value))
    return said


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, BaseModel):
        # Limits and caps are always written in full: a reader should not need to know the defaults.
        every = tuple(type(value).model_fields) if not _said(value, ()) or _all_numbers(value) else ()
        return "{ " + ", ".join(f"{n} = {_value(v)}" for n, v in _said(value, every)) + " }"
    items = [_value(item) for item in value]
    if sum(map(len, items)) > 80 and any(isinstance(item, BaseModel) for item in value):
        return "[\n" + "".join(f"  {item},\n" for item in items) + "]"
    return "[" + ", ".join(items) + "]"


def _all_numbers(part: BaseModel) -> bool:
    return all(isinstance(getattr(part, name), int) for name in type(part).model_fields)


_ESCAPES = {"\\": "\\\\", '"': '\\"', "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def _string(text: str) -> str:
    def escaped(character: str) -> str:
        if character in _ESCAPES:
            return _ESCAPES[character]
        return f"\\u{ord(character):04X}" if ord(character) < 0x20 or ord(character) == 0x7F else character

    return '"' + "".join(map(escaped, text)) + '"'
