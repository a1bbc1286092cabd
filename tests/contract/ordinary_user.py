"""Run a program as an ordinary user although we are root: `python -m tests.contract.ordinary_user PROGRAM …`.

Folders only root may enter (a home of mode 0700 with the interpreter in it) are covered, in a mount namespace
of this process alone, by empty ones that hold just the interpreter, its environment and the repository.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from services.executor.launcher import kernel

NOBODY = 65534
_REPOSITORY = Path(__file__).parents[2]


def _closed_ancestor(path: Path) -> Path | None:
    """The topmost folder on the way to `path` that others may not enter."""
    return next((up for up in reversed(path.parents) if not up.stat().st_mode & 0o001), None)


def _open_the_way(paths: list[Path]) -> None:
    kernel.unshare(kernel.CLONE_NEWNS)
    kernel.mount("", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    hidden = {path: closed for path in paths if (closed := _closed_ancestor(path))}
    held = {path: os.open(path, os.O_PATH) for path in hidden}
    for folder in set(hidden.values()):
        kernel.mount("way", str(folder), "tmpfs", options="mode=0755")
    for path, fd in held.items():
        path.mkdir(parents=True, exist_ok=True)
        kernel.mount(f"/proc/self/fd/{fd}", str(path), flags=kernel.MS_BIND)
        os.close(fd)


def main(command: list[str]) -> None:
    _open_the_way([Path(p).resolve() for p in (sys.base_prefix, sys.prefix, _REPOSITORY)])
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    os.execv(command[0], command)  # noqa: S606 - becoming it is the point


if __name__ == "__main__":
    main(sys.argv[1:])
