"""What a class may become without breaking what others have written: the checks behind the golden files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError, create_model

from shared.agentfile.model import Part
from tests.golden import choices, filled

Dump = Callable[[BaseModel], dict[str, Any]]


def as_bytes(data: object) -> bytes:
    """Order of keys counts: what is the same to a reader is then also the same to a hash."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def breaks(kind: type[BaseModel], golden: Mapping[str, Any], dump: Dump) -> list[str]:
    """Why what the golden file holds could not be read or written any more; empty when all is well."""
    found = []
    try:
        if as_bytes(dump(kind.model_validate(golden["data"]))) != as_bytes(golden["data"]):
            found.append("what was written is written in another way")
    except ValidationError as error:
        found.append(f"what was written cannot be read: {error}")
    try:
        kind.model_validate(golden["least"])
    except ValidationError as error:
        found.append(f"a field that may be absent is required: {error}")
    if set(filled(kind)) - set(golden["data"]):
        found.append(f"the golden file lacks {sorted(set(filled(kind)) - set(golden['data']))}")
    now = choices(kind)
    gone = {name: set(values) - set(now.get(name, values)) for name, values in golden["choices"].items()}
    found += [f"{name} no longer takes {sorted(values)}" for name, values in gone.items() if values]
    return found


def without(kind: type[BaseModel], name: str) -> type[BaseModel]:
    """The same class had somebody removed the field."""
    kept: dict[str, Any] = {
        field: (info.annotation, info) for field, info in kind.model_fields.items() if field != name
    }
    return _model(kind, kept)


def retyped(kind: type[BaseModel], name: str) -> type[BaseModel]:
    """The same class had somebody given the field another type."""
    kept: dict[str, Any] = {field: (info.annotation, info) for field, info in kind.model_fields.items()}
    example = filled(kind)[name]
    other: type = str if isinstance(example, int | float) else int
    kept[name] = (other, ...)
    return _model(kind, kept)


def _model(like: type[BaseModel], fields: dict[str, Any]) -> type[BaseModel]:
    made: type[BaseModel] = create_model(like.__name__, __config__=like.model_config, **fields)
    return made


def with_unknown(value: Any, kind: type[BaseModel]) -> Iterator[Any]:
    """The data with one key nobody knows, once for each place that has keys of ours. The agent file's parts are
    left out: it refuses what it does not know (docs/decisions/0003-records-and-agent-file.md)."""
    if issubclass(kind, Part):
        return
    yield {**value, "from_a_newer_writer": {"x": 1}}
    for name, field in kind.model_fields.items():
        for below in _models(field.annotation):
            inside = value[name][0] if isinstance(value[name], list) else value[name]
            for changed in with_unknown(inside, below):
                yield {**value, name: [changed] if isinstance(value[name], list) else changed}


def _models(wanted: Any) -> list[type[BaseModel]]:
    if isinstance(wanted, type) and issubclass(wanted, BaseModel):
        return [wanted]
    return [model for part in getattr(wanted, "__args__", ()) for model in _models(part)]
