"""Fixtures every tier shares: one Hypothesis profile, emulators once per session, no swallowed error."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import emulators, left_behind, zygote
from tests.needs import unavailable

settings.register_profile(
    "house",
    deadline=None,  # machines differ; pytest-timeout ends what hangs
    derandomize=True,  # the same examples everywhere: a red test stays red
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))


def pytest_configure(config: pytest.Config) -> None:
    """The controlling process owns the folder in which xdist's workers agree on emulators."""
    if emulators.FOLDER_VARIABLE not in os.environ:
        folder = tempfile.mkdtemp(prefix="ab-tests-")
        os.environ[emulators.FOLDER_VARIABLE] = folder
        os.environ[emulators.OWNER_VARIABLE] = str(os.getpid())
        config.add_cleanup(lambda: _end_session(Path(folder)))


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Fails a run that leaves something on the machine; its controlling process looks when all others have ended."""
    yield
    zygote.end()
    if os.environ.get(emulators.OWNER_VARIABLE) != str(os.getpid()):
        return
    emulators.stop_all(Path(os.environ[emulators.FOLDER_VARIABLE]))
    if left := left_behind.after_all():
        print("\nleft behind by this test run:", *left, sep="\n  ", flush=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _end_session(folder: Path) -> None:
    emulators.stop_all(folder)
    shutil.rmtree(folder, ignore_errors=True)
    for variable in (emulators.FOLDER_VARIABLE, emulators.OWNER_VARIABLE):
        os.environ.pop(variable, None)


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> None:
    left_behind.note(tmp_path_factory.getbasetemp())


class _ErrorRecorder(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = f"{record.name}: {record.getMessage()}"
        if record.exc_info and record.exc_info[1] is not None:
            text += f" ({record.exc_info[1]!r})"
        self.seen.append(text)


@pytest.fixture
def expect_errors() -> list[str]:
    """Ask for it in a test that makes the code log an error on purpose; holds the texts to look for.

    Whoever asks must find at least one error, else the test fails as well.
    """
    return []


@pytest.fixture(autouse=True)
def no_swallowed_error(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test during which an ERROR was logged: a swallowed error is an error nobody saw."""
    expected: list[str] | None = None
    if "expect_errors" in request.fixturenames:
        expected = request.getfixturevalue("expect_errors")
    recorder = _ErrorRecorder()
    root = logging.getLogger()
    root.addHandler(recorder)
    if expected is not None:
        recorder.seen = expected
    yield
    root.removeHandler(recorder)
    if expected is None and recorder.seen:
        pytest.fail("logged as an error and swallowed:\n" + "\n".join(recorder.seen), pytrace=False)
    if expected is not None and not recorder.seen:
        pytest.fail("this test expects an error in the log and none was logged", pytrace=False)


@pytest.fixture(scope="session")
def pubsub_emulator() -> str:
    """host:port of a Pub/Sub emulator shared by the whole run; keep apart by project id."""
    return _emulator("pubsub")


@pytest.fixture(scope="session")
def firestore_emulator() -> str:
    """host:port of a Firestore emulator for the whole run; keep apart by project id or database."""
    return _emulator("firestore")


@pytest.fixture(scope="session")
def storage_emulator() -> str:
    """http://host:port of a Cloud Storage fake shared by the whole run; keep apart by bucket name."""
    return _emulator("storage")


def _emulator(kind: str) -> str:
    try:
        return emulators.address(kind)
    except emulators.NotHere as problem:
        unavailable(problem.what, problem.cure)
