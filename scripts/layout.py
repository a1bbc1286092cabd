"""Where things lie in a clone, and how the commands know that nothing has changed since last time."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
VENV = ROOT / ".venv"
WEB = ROOT / "web"
WEB_VENV = ROOT / ".venv-web"
PAGE = WEB / "dist" / "index.html"

_NOT_SOURCES = {"node_modules", "dist", "coverage", ".vite", "__pycache__"}


def data_dir() -> Path:
    """`AB_DATA_DIR`, or `data` beside the Makefile; relative names count from there. May not exist yet."""
    return ROOT / (os.environ.get("AB_DATA_DIR") or "data")


def digest(files: Iterable[Path], *facts: str) -> str:
    """One hash over names, contents and `facts`; the order of `files` does not matter."""
    sha = hashlib.sha256()
    for fact in facts:
        sha.update(f"{fact}\0".encode())
    for file in sorted(files):
        content = file.read_bytes()
        sha.update(f"{file.relative_to(ROOT)}\0{len(content)}\0".encode())
        sha.update(content)
    return sha.hexdigest()


def page_sources() -> list[Path]:
    """Every file the page is built from; empty when this clone has no page."""
    found: list[Path] = []
    for folder, folders, files in os.walk(WEB):
        folders[:] = [name for name in folders if name not in _NOT_SOURCES]
        found += [Path(folder, name) for name in files]
    return [file for file in found if file.is_file()]


def is_stamped(stamp: Path, wanted: str) -> bool:
    try:
        return stamp.read_text(encoding="utf-8") == wanted
    except OSError:
        return False


def write_stamp(stamp: Path, value: str) -> None:
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(value, encoding="utf-8")


@contextmanager
def only_one(name: str) -> Iterator[None]:
    """Two commands started together take turns (`make run` beside `make test`); the kernel drops the lock."""
    CACHE.mkdir(exist_ok=True)
    with open(CACHE / f"{name}.lock", "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
