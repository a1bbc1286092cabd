"""A version's files in the store, and a proposal whose files are already there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from shared.agentfile import bundle
from shared.agentfile.model import AgentFile
from shared.blobs.port import Blobs
from shared.records.planner import PackageWish


class Draft(BaseModel):
    """A proposal of which only the documents are missing. findings: what a reviewer saw in its code."""

    model_config = ConfigDict(frozen=True)

    agent_file: AgentFile
    bundle_key: str
    bundle_sha256: str
    files: tuple[str, ...]
    lock: str | None
    summary: str
    steps: tuple[str, ...]
    packages: tuple[PackageWish, ...]
    found: tuple[str, ...] = ()
    wont: tuple[str, ...] = ()
    seconds: float = 0
    author_words: str | None = None
    said: str = ""
    findings: tuple[str, ...] = ()


def stored(files: Mapping[str, bytes], blobs: Blobs) -> tuple[str, str]:
    """Pack and keep a version's files under their hash; returns key and hash. Safe to repeat."""
    data = bundle.pack(dict(files))
    digest = hashlib.sha256(data).hexdigest()
    key = f"planner/bundles/{digest}.zip"
    blobs.put(key, data)
    return key, digest


def file_stored(content: bytes, blobs: Blobs) -> str:
    """Keep one file while an agent is written; returns its key. Safe to repeat."""
    key = f"planner/files/{hashlib.sha256(content).hexdigest()}"
    blobs.put(key, content)
    return key
