"""`make run` and `make run-split`: answer at once, install, become the server, build the page beside it."""

from __future__ import annotations

import argparse
import errno
import os
import signal
import socket
import tempfile
from pathlib import Path
from typing import NoReturn

from scripts import page_build, split
from scripts.console import CannotContinue, run_command, say
from scripts.layout import ROOT, VENV, data_dir
from scripts.packages import ensure_runtime, is_ready
from scripts.progress import Progress, ProgressServer
from scripts.tools import Tool, clean_environment


def bind() -> socket.socket:
    """A listening socket on 127.0.0.1:AB_PORT (8080). Raises: CannotContinue."""
    text = os.environ.get("AB_PORT") or "8080"
    if not text.isascii() or not text.isdigit() or not 0 <= int(text) <= 65535:
        raise CannotContinue(f"AB_PORT is '{text}', which is no port: use a number such as AB_PORT=8081.")
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", int(text)))
    except OSError as problem:
        if problem.errno == errno.EADDRINUSE:
            raise CannotContinue(
                f"Port {text} is taken by another program: stop that one, or choose another port: "
                "AB_PORT=8081 make run"
            ) from problem
        raise CannotContinue(
            f"Port {text} cannot be used ({problem.strerror}): choose one above 1023, such as AB_PORT=8081."
        ) from problem
    listening.listen(128)
    return listening


def prepare_data_dir() -> Path:
    """Made when missing, for this user only. Raises: CannotContinue."""
    data = data_dir()
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=data):
            pass
    except OSError as problem:
        raise CannotContinue(
            f"The data folder {data} cannot be written ({problem.strerror}): "
            "choose another with AB_DATA_DIR=/some/folder, or make this one yours."
        ) from problem
    return data


def install(listening: socket.socket, address: str) -> Path:
    """Installs the locked packages, telling terminal and browser; nothing to do from the second start on."""
    if is_ready(VENV, "requirements.txt"):
        return VENV / "bin" / "python"
    say(f"First start: fetching packages. Progress is at {address} too.")
    progress = Progress()
    server = ProgressServer(listening, progress)
    server.start()
    tool = Tool()

    def report(done: int, total: int, name: str) -> None:
        progress.set(done, total, name)
        say(f"  {done}/{total} {name}" if name else "  installing …")

    try:
        python = ensure_runtime(tool, report)
        progress.set(0, 0, "", step="starting")
    finally:
        tool.stop()
        server.stop()
    return python


def become(python: Path, listening: socket.socket) -> NoReturn:
    """The server takes this process's place (and its pid): nothing is left between it and the terminal."""
    os.set_inheritable(listening.fileno(), True)
    os.chdir(ROOT)
    command = [str(python), "-m", "services.all_in_one", "--fd", str(listening.fileno())]
    os.execve(python, command, clean_environment())


def main() -> int:
    options = argparse.ArgumentParser(description="Start Agent Builder on this machine.")
    options.add_argument("--split", action="store_true", help="one process for each of the five services")
    options.add_argument("--no-page", action="store_true", help="do not build the page")
    arguments = options.parse_args()
    # Also where a shell started this in the background and so made SIGINT ignored, for us and for the server.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    listening = bind()
    data = prepare_data_dir()
    python = install(listening, f"http://127.0.0.1:{listening.getsockname()[1]}")
    if arguments.no_page or page_build.is_current():
        page_build.clear_status(data)
    else:
        page_build.start_beside(data)
    if arguments.split:
        return split.run(python, listening)
    become(python, listening)


if __name__ == "__main__":
    run_command(main)
