"""A forked program begins as one that `python -m` starts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.machine import own_mounts
from tests.zygote import ROOT, Forked, zygote

_PROGRAM = "tests.contract.itself"
_PATIENCE_S = 60


def _executed(arguments: list[str], env: dict[str, str], out: Path, passed: list[int]) -> int:
    with out.open("wb") as stdout:
        process = subprocess.Popen(
            own_mounts([sys.executable, "-m", _PROGRAM, *arguments]),
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=stdout,
            pass_fds=passed,
            start_new_session=True,
        )
        process.communicate(b"hello")
        return process.wait(_PATIENCE_S)


def _forked(arguments: list[str], env: dict[str, str], out: Path, passed: list[int]) -> int:
    with out.open("wb") as stdout:
        process = zygote().start(
            _PROGRAM, arguments, env=env, stdout=stdout, said=stdout, pass_fds=passed, stdin=True
        )
        assert process.stdin is not None
        process.stdin.write(b"hello")
        process.stdin.close()
        return process.wait(_PATIENCE_S)


def test_a_forked_program_finds_what_an_executed_one_finds(tmp_path: Path) -> None:
    env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    env |= {"LANG": "C.UTF-8", "ONLY": "this"}
    found: list[tuple[int, Any]] = []
    with (tmp_path / "passed").open("wb") as passed:
        for way in (_executed, _forked):
            out = tmp_path / way.__name__
            status = way(["7", str(passed.fileno())], env, out, [passed.fileno()])
            found.append((status, json.loads(out.read_text())))

    assert found[0] == found[1]
    assert found[1][0] == 7
    assert found[1][1]["environment"]["ONLY"] == "this"


@pytest.fixture
def waiting(tmp_path: Path) -> Forked:
    """Ends when nothing more is said to it."""
    with (tmp_path / "out").open("wb") as out:
        return zygote().start(_PROGRAM, ["0"], env=dict(os.environ), stdout=out, said=out, stdin=True)


def test_it_can_be_waited_for_and_killed(waiting: Forked) -> None:
    assert waiting.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(0.01)

    os.killpg(waiting.pid, signal.SIGKILL)

    assert waiting.wait(_PATIENCE_S) == -signal.SIGKILL
    assert waiting.poll() == -signal.SIGKILL
    assert waiting.stdin is not None
    waiting.stdin.close()
