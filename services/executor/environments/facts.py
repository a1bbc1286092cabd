"""What the guard must know of a package, remembered on disk: times of uploads do not change.

So a lock whose packages were judged once is judged again without asking the index.
"""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from packaging.version import Version

from services.executor.environments.pages import IndexFile, Project
from services.executor.environments.source import IndexSource
from shared.clock import Clock

_FEW = 8  # files remembered beside the first and the asked version's: enough to know that they are not few


class Facts:
    """folder: one small file per package and version."""

    def __init__(self, source: IndexSource, folder: Path, clock: Clock) -> None:
        self._source = source
        self._folder = folder
        self._clock = clock

    def of(self, name: str, version: Version) -> Project | None:
        """A project with the files that matter to the guard, no addresses; None when there is none."""
        path = self._folder / f"{name}=={str(version).replace('!', '~')}.json"
        with suppress(OSError, ValueError, KeyError):
            return Project(name, tuple(_file(entry) for entry in json.loads(path.read_bytes())))
        project = self._source.project(name)
        if project is None:
            return None
        kept = _those_that_matter(project, version)
        if any(file.version == version for file in kept):
            self._folder.mkdir(parents=True, exist_ok=True)
            beside = path.with_suffix(f".{threading.get_ident()}")
            beside.write_text(json.dumps([_entry(file) for file in kept]))
            beside.rename(path)
        return Project(name, kept)


def _those_that_matter(project: Project, version: Version) -> tuple[IndexFile, ...]:
    timed = [file for file in project.files if file.uploaded is not None]
    first = min(timed, key=lambda file: str(file.uploaded), default=None)
    ours = [file for file in project.files if file.version == version]
    rest = [file for file in project.files if file.version != version][:_FEW]
    kept = {file.name: file for file in (*ours, *rest, *([first] if first else []))}
    return tuple(kept.values())


def _entry(file: IndexFile) -> dict[str, Any]:
    at = file.uploaded.isoformat() if file.uploaded else None
    return {"name": file.name, "version": str(file.version), "wheel": file.wheel, "uploaded": at}


def _file(entry: dict[str, Any]) -> IndexFile:
    at = datetime.fromisoformat(entry["uploaded"]) if entry["uploaded"] else None
    return IndexFile(entry["name"], "", "", Version(entry["version"]), entry["wheel"], uploaded=at)
