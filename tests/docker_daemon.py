"""A Docker daemon of the tests' own: private socket and data, no bridge, no firewall rules, gone at the end."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.needs import unavailable

_INSTALL = "sudo apt-get install docker.io"
_UP_S, _DOWN_S = 60, 20
# The first works wherever a data folder lies on a plain file system; the second everywhere, and slower.
_STORAGE = ("overlay2", "vfs")


def _answers(socket_path: Path) -> bool:
    """By hand: a client that finds nobody leaves its socket open."""
    with socket.socket(socket.AF_UNIX) as connection, suppress(OSError):
        connection.settimeout(5)
        connection.connect(str(socket_path))
        connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
        return b" 200 " in connection.recv(64)
    return False


def _begin(folder: Path, storage: str) -> tuple[subprocess.Popen[bytes], str]:
    """The process and its address; the address is empty when it did not come up."""
    address = f"unix://{folder}/docker.sock"
    places = ["-H", address, "--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"]
    quiet = [
        "--bridge=none",
        "--iptables=false",
        "--ip6tables=false",
        "--ip-forward=false",
        "--ip-masq=false",
    ]
    # a test run that is killed cannot stop it: it then ends with us (util-linux has this program everywhere)
    tied = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(
            [*tied, "dockerd", *places, "-p", f"{folder}/pid", "-s", storage, *quiet],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    pause = threading.Event()
    for _look in range(_UP_S * 10):
        if process.poll() is not None:
            return process, ""
        if _answers(folder / "docker.sock"):
            return process, address
        pause.wait(0.1)
    return process, ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """It takes its containerd and its containers along when asked politely."""
    process.terminate()
    try:
        process.wait(_DOWN_S)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def daemon() -> Iterator[str]:
    """Its address. Where none can be started: skipped on a laptop, failed in CI, with the daemon's last words."""
    if shutil.which("dockerd") is None:
        unavailable("Docker", _INSTALL)
    if os.geteuid() != 0:
        unavailable("Docker for tests", "run them as root: the daemon is one of their own")
    said = ""
    for storage in _STORAGE:
        folder = Path(tempfile.mkdtemp(prefix="ab-docker-", dir="/var/tmp"))  # a socket's path must be short
        process, address = _begin(folder, storage)
        try:
            if address:
                yield address
                return
            said = (folder / "log").read_text(errors="replace")[-600:]
        finally:
            _end(process)
            shutil.rmtree(folder, ignore_errors=True)
    unavailable("a Docker daemon", f"it did not come up here: {said}")
