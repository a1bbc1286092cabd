"""Code that tries to get out of a sandbox does not: on every backend, as root, and as an ordinary user."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from services.executor.siege.cases import Case, Category, read
from services.executor.siege.judge import Judge, canaries
from tests.contract.backends import ISOLATING, opened

_REPOSITORY = Path(__file__).parents[2]
_SEED, _SAMPLE, _SAMPLE_OF_USER = 11, 14, 80  # `python -m tests.prove.corpus` tries all everywhere


@pytest.fixture
def secret() -> Iterator[None]:
    os.environ["SBX_CANARY_SECRET"] = "canary"
    yield
    del os.environ["SBX_CANARY_SECRET"]


def _tried_on(backend: str) -> list[Case]:
    cases = list(read())
    if backend == "bubblewrap" and os.geteuid() == 0:
        return cases
    return random.Random(_SEED).sample(cases, _SAMPLE_OF_USER if backend == "bubblewrap" else _SAMPLE)


@pytest.mark.slow(180)
@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize("backend", ISOLATING)
def test_every_case_is_held_when_the_corpus_runs(
    backend: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    tmp_path.chmod(0o755)
    sandbox = opened(backend, tmp_path / "sandbox", request)
    try:
        found = Judge(sandbox, tmp_path / "siege", backend).try_all(_tried_on(backend))
    finally:
        sandbox.close()

    assert [(one.case.id, one.verdict, one.shown) for one in found if not one.held] == []


@pytest.mark.usefixtures("secret")
def test_attacks_have_teeth_when_nothing_stands_around_them(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("what they reach is root's")
    toothless = []
    with canaries():
        for case in (case for case in read() if case.outside):
            (tmp_path / case.id).mkdir()
            done = subprocess.run(
                [sys.executable, "-c", case.code],
                cwd=tmp_path / case.id,
                capture_output=True,
                text=True,
                check=False,
            )
            if "ESCAPED" not in done.stdout:
                toothless.append((case.id, done.stdout[-100:], done.stderr[-200:]))

    assert toothless == []


def test_there_are_attacks_of_every_class_when_the_corpus_is_read() -> None:
    counted = Counter(case.category for case in read())

    assert set(counted) == set(get_args(Category))
    assert min(counted.values()) >= 5
    assert all(case.because for case in read() if case.instead or case.within)


@pytest.mark.parametrize(
    "suite",
    ["test_hostile.py", "test_sandbox.py", "test_sandbox_isolation.py", "test_sandbox_warm.py"],
)
def test_a_suite_holds_when_the_platform_is_an_ordinary_user(suite: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("this run is an ordinary user's already")
    # the environment of a fresh login: nothing that names folders only root may enter
    environment = {name: os.environ[name] for name in ("PATH", "LANG", "CI") if name in os.environ}
    # a job on another machine makes the same sandbox, as a user of its image
    chosen = "not ordinary and not fake and not docker and not gvisor and not cloud_run"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.contract.ordinary_user", sys.executable, "-m", "pytest", "-q"),
            *(f"tests/contract/{suite}", "-k", chosen, "-p", "no:cacheprovider"),
        ],
        cwd=_REPOSITORY,
        env=environment | {"PYTHONPATH": f"{_REPOSITORY}:{_REPOSITORY / 'sdk'}"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
