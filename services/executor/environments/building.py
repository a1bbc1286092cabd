"""Wheels built from source for one workspace: the locked room runs the package's code, this side believes
nothing of what comes out but that it is some wheel of that name and version.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import threading
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from services.executor.environments import sentences
from services.executor.environments.door import IndexDoor, Own
from services.executor.environments.pages import IndexFile
from services.executor.environments.source import IndexSource
from services.executor.environments.wheels import rank
from services.executor.ports import LocalSite
from shared.errors import BadRequest

_WORKSPACE = re.compile(r"[A-Za-z0-9_-]{1,80}")
_SHARED = re.compile(r"[0-9a-f]{64}")  # a folder of the public index's, by its hash


class LockedRoom(Protocol):
    def build(self, source: Path, name: str, door: LocalSite) -> tuple[str, bytes]: ...


class OwnBuilds:
    """root: the wheel store; a workspace's builds lie at root/<workspace>/built, seen by no other."""

    def __init__(self, room: LockedRoom, source: IndexSource, root: Path, files: Path) -> None:
        self._room = room
        self._source = source
        self._root = root
        self._files = files

    def of(self, workspace_id: str) -> tuple[Own, ...]:
        found = []
        folder = self._folder(workspace_id)
        for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
            with suppress(OSError, ValueError, KeyError):
                found.append(_own(folder, json.loads(path.read_bytes())))
        return tuple(found)

    def make(self, workspace_id: str, name: str, file: IndexFile, door: IndexDoor) -> Own:
        """Raises BadRequest in a sentence when no wheel comes of it."""
        label = f"{name}=={file.version}"
        for known in self.of(workspace_id):
            if known.project == name and known.file.version == file.version and known.path.exists():
                return known
        archive = door.fetch(file)
        archive.chmod(0o644)
        try:
            called, data = self._room.build(archive, file.name, door)
        except BadRequest as error:
            text = sentences.not_built(label, error.detail)
            raise BadRequest(text, code="build_failed", fields={"packages": label}) from error
        about = {"project": name, "file": _checked(called, name, file.version, label)}
        about["sha256"] = hashlib.sha256(data).hexdigest()
        folder = self._folder(workspace_id)
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / f"{about['sha256']}.whl", data)
        _write(folder / f"{name}=={str(file.version).replace('!', '~')}.json", json.dumps(about).encode())
        return _own(folder, about)

    def forget(self, workspace_id: str) -> None:
        """Everything built for it and unpacked of that; nothing there is no error. Raises as the others where
        the name is no workspace's: the wheels of all lie beside, under their hashes."""
        folder = self._folder(workspace_id).parent
        if folder.is_dir():
            shutil.rmtree(folder)

    def _folder(self, workspace_id: str) -> Path:
        if not _WORKSPACE.fullmatch(workspace_id) or _SHARED.fullmatch(workspace_id):
            raise BadRequest("A workspace's name may hold letters, digits, dash and underscore only.")
        return self._root / workspace_id / "built"


def _checked(called: str, name: str, version: Version, label: str) -> str:
    try:
        found, of_version, _build, _tags = parse_wheel_filename(called)
        if found == name and of_version == version and rank(called) is not None:
            return called
    except (InvalidWheelFilename, ValueError):
        pass
    text = sentences.not_built(label, f"{called[:100]!r} is no wheel of it for this machine")
    raise BadRequest(text, code="build_failed", fields={"packages": label})


def _own(folder: Path, about: dict[str, str]) -> Own:
    called, sha256 = about["file"], about["sha256"]
    path = folder / f"{sha256}.whl"
    version = parse_wheel_filename(called)[1]
    return Own(about["project"], IndexFile(called, "", sha256, version, True, path.stat().st_size), path)


def _write(path: Path, data: bytes) -> None:
    beside = path.with_suffix(f".{threading.get_ident()}")
    beside.write_bytes(data)
    beside.rename(path)
