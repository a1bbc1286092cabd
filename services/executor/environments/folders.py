"""Where the executor keeps things on this machine, all under the data folder."""

from __future__ import annotations

import shutil
from pathlib import Path

from shared.ids import Ids


class Folders:
    """code: unpacked versions · environments: installed packages · attempts: collected outputs until checked."""

    def __init__(self, root: Path, ids: Ids) -> None:
        self._ids = ids
        self.code = root / "code"
        self.environments = root / "environments"
        self.attempts = root / "attempts"
        self.scratch = root / "scratch"

    def make(self) -> None:
        """Also clears what an earlier life was building when it died."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        for folder in (self.code, self.environments, self.attempts, self.scratch):
            folder.mkdir(parents=True, exist_ok=True)

    def environment(self, environment_id: str) -> Path:
        return self.environments / environment_id

    def attempt(self, attempt_id: str) -> Path:
        return self.attempts / attempt_id

    def fresh(self, kind: str) -> Path:
        """A new empty folder to build something in before it is renamed into place."""
        folder = self.scratch / self._ids.new(kind)
        folder.mkdir(parents=True)
        return folder
