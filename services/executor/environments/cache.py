"""What environments and wheels there are, when each was last used, and which go when the disk share is full."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from shared.blobs.port import Blobs
from shared.clock import Clock
from shared.errors import NotFound

# Longer than the longest run may take (shared/agentfile: limits.wall_s), so what a run has on loan stays.
_IN_USE_S = 2 * 3600


@dataclass(frozen=True)
class _Thing:
    path: Path
    used: float
    size_bytes: int


class Cache:
    """environments, wheels, files: the folders of that name; recipes: <id>.json, how to make one again.

    kept: where what everybody may use can be looked up when this disk is a new one; None: nowhere. What was built for
    one workspace is on the disk where it was built, and nowhere else.
    """

    def __init__(self, root: Path, clock: Clock, at_most_bytes: int, kept: Blobs | None = None) -> None:
        self._root = root
        self._kept = kept
        self._environments = root / "environments"
        self._recipes = root / "index" / "recipes"
        self._clock = clock
        self._at_most = at_most_bytes

    def used(self, folder: Path) -> None:
        now = self._clock.now().timestamp()
        with suppress(OSError):
            os.utime(folder, (now, now))

    def remember(self, id: str, lock: str, owner: str) -> None:
        """Raises Unavailable."""
        self._write(id, {"lock": lock, "owner": owner, "size_bytes": 0})
        if not owner and self._kept is not None:
            self._kept.put(_key(id), lock.encode())

    def measured(self, id: str, size_bytes: int) -> None:
        self._write(id, {**self._read(id), "size_bytes": size_bytes})

    def recipe(self, id: str) -> tuple[str | None, str]:
        """Lock and owner; (None, "") for an unknown environment. Raises Unavailable."""
        if not self._read(id) and self._kept is not None:
            with suppress(NotFound):
                self._write(id, {"lock": self._kept.get(_key(id)).decode(), "owner": "", "size_bytes": 0})
        known = self._read(id)
        return known.get("lock"), known.get("owner", "")

    def forget(self, owner: str) -> None:
        """The owner's environments and how to make them again; those of nobody ("") are everybody's and stay.
        An environment is links, so its wheels stay where others hold them."""
        for path in list(self._recipes.glob("*.json")) if owner else ():
            if self._read(path.stem).get("owner") == owner:
                folder = self._environments / path.stem
                if folder.is_dir():
                    shutil.rmtree(folder)
                path.unlink(missing_ok=True)  # last: it is what finds the folder again after a death

    def size(self, id: str) -> int:
        return int(self._read(id).get("size_bytes", 0))

    def trim(self) -> list[str]:
        """Take away what was used longest ago until the rest fits: first downloads, then environments and the
        wheels that no environment holds any more. Never what a run may be using."""
        gone: list[str] = []
        left = sum(thing.size_bytes for thing in (*self._wheels(), *self._files())) - self._at_most
        for environment in (None, *self._unused(self._folders())):
            if environment is not None and left > 0:
                left -= _remove(environment, gone)
            for thing in self._unused(self._free_wheels() if environment else self._files()):
                if left > 0:
                    left -= _remove(thing, gone)
        return gone

    def _unused(self, things: Iterable[_Thing]) -> list[_Thing]:
        """Longest ago first."""
        before = self._clock.now().timestamp() - _IN_USE_S
        return sorted((thing for thing in things if thing.used <= before), key=lambda thing: thing.used)

    def _files(self) -> Iterator[_Thing]:
        folder = self._root / "index" / "files"
        for path in folder.iterdir() if folder.is_dir() else ():
            info = path.stat()
            yield _Thing(path, info.st_mtime, info.st_size)

    def _folders(self) -> Iterator[_Thing]:
        """Environments are links: they weigh nothing themselves, but hold their wheels."""
        for path in self._environments.iterdir() if self._environments.is_dir() else ():
            if path.is_dir() and (self._recipes / f"{path.name}.json").exists():
                yield _Thing(path, path.stat().st_mtime, 0)

    def _wheels(self) -> Iterator[_Thing]:
        """Of the public index first level, of workspaces one level deeper."""
        for about in (*self._root.glob("wheels/*/about.json"), *self._root.glob("wheels/*/*/about.json")):
            if about.parent.name != "site":
                size = int(json.loads(about.read_bytes()).get("size_bytes", 0))
                yield _Thing(about.parent, about.parent.stat().st_mtime, size)

    def _free_wheels(self) -> Iterator[_Thing]:
        for wheel in self._wheels():
            first = (wheel.path / "files").read_text().partition("\0")[0]
            if (wheel.path / "site" / first).stat().st_nlink == 1:
                yield wheel

    def _read(self, id: str) -> dict[str, str]:
        try:
            found: dict[str, str] = json.loads((self._recipes / f"{id}.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return found

    def _write(self, id: str, about: dict[str, object]) -> None:
        self._recipes.mkdir(parents=True, exist_ok=True)
        path = self._recipes / f"{id}.json"
        beside = path.with_suffix(f".{threading.get_ident()}")
        beside.write_text(json.dumps(about))
        beside.rename(path)


def _key(id: str) -> str:
    return f"executor/recipes/{id}.lock"


def _remove(thing: _Thing, gone: list[str]) -> int:
    if thing.path.is_file():
        thing.path.unlink(missing_ok=True)
    else:
        shutil.rmtree(thing.path, ignore_errors=True)
    gone.append(thing.path.name)
    return thing.size_bytes
