"""Code that tries to get out of a sandbox does not: as root, and as an ordinary user of the same machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from services.executor.adapters.bubblewrap import BubblewrapSandbox
from tests.contract import hostile_corpus
from tests.contract.sandbox_runs import Bench
from tests.needs import unavailable

_REPOSITORY = Path(__file__).parents[2]


def test_every_case_is_held_when_the_corpus_runs(tmp_path: Path) -> None:
    os.environ["SBX_CANARY_SECRET"] = "canary"
    sandbox = BubblewrapSandbox(tmp_path / "sandbox")
    try:
        missing = sandbox.enforcement().missing
        if "all" in missing:
            unavailable("a sandbox", missing["all"])
        found = hostile_corpus.run(Bench(sandbox, tmp_path))
    finally:
        sandbox.close()
        del os.environ["SBX_CANARY_SECRET"]

    assert len(found) > 80
    assert [case for case in found if not case.held] == []


@pytest.mark.parametrize("suite", ["test_hostile.py", "test_sandbox.py", "test_sandbox_isolation.py"])
def test_a_suite_holds_when_the_platform_is_an_ordinary_user(suite: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("this run is an ordinary user's already")
    # the environment of a fresh login: nothing that names folders only root may enter
    environment = {name: os.environ[name] for name in ("PATH", "LANG", "CI") if name in os.environ}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.contract.ordinary_user", sys.executable, "-m", "pytest", "-q"),
            *(f"tests/contract/{suite}", "-k", "not ordinary and not fake", "-p", "no:cacheprovider"),
        ],
        cwd=_REPOSITORY,
        env=environment | {"PYTHONPATH": f"{_REPOSITORY}:{_REPOSITORY / 'sdk'}"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
