"""The hash a person approves. One function, so that sheet, grant and run can never disagree about it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from shared.agentfile.model import AgentFile


def canonical_json(value: Any) -> str:
    """One text per value: keys sorted, no spaces, UTF-8 unescaped, whole floats as integers.

    Takes models, dicts, lists, tuples, text, finite numbers, booleans and None; raises ValueError on a
    number that is not finite.
    """
    return json.dumps(
        _plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def approved(agent_file: AgentFile) -> dict[str, Any]:
    """What the permission sheet shows: manifest, schedule, contract, packages, every field with its value.

    Not the name, the summary or the language: renaming an agent changes nothing it may do. Not the code: a
    repair that stays inside the same manifest needs no new yes. Lists are sorted, because the order of
    hosts, secrets, channels, checks or packages grants nothing.
    """
    manifest = agent_file.manifest.model_dump()
    for key in ("hosts", "secrets", "channels"):
        manifest[key] = _sorted(manifest[key])
    if manifest["tape"] == "full":
        del manifest["tape"]  # younger than hashes that people have approved
    return {
        "version": 1,
        "manifest": manifest,
        "schedule": agent_file.schedule.model_dump() if agent_file.schedule else None,
        "contract": _sorted([check.model_dump() for check in agent_file.contract]),
        "packages": sorted(agent_file.agent.packages),
    }


def manifest_hash(agent_file: AgentFile) -> str:
    """64 lowercase hex digits: SHA-256 of the canonical JSON of `approved`."""
    return hashlib.sha256(canonical_json(approved(agent_file)).encode()).hexdigest()


def _sorted(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(items, key=canonical_json)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return _plain(value.model_dump())
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
