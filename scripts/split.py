"""Runs the five services as five processes and ends them together, on Ctrl-C or when one of them dies."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

from scripts.console import say
from scripts.layout import ROOT
from scripts.tools import clean_environment

SERVICES = ("gateway", "planner", "executor", "scheduler", "ledger")
GRACE_S = 4.0
_PR_SET_PDEATHSIG = 1  # Source: prctl(2)


def run(python: Path, listening: socket.socket) -> int:
    """Returns when all have ended: 0 after Ctrl-C, else the status of the first that died."""
    ended = threading.Event()
    asked = threading.Event()
    processes: dict[str, subprocess.Popen[bytes]] = {}

    def on_signal(number: int, frame: object) -> None:
        asked.set()
        ended.set()

    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)
    for name in SERVICES:
        processes[name] = _start(python, name, listening if name == "gateway" else None)
    for process in processes.values():
        threading.Thread(target=_watch, args=(process, ended), daemon=True).start()
    listening.close()
    ended.wait()
    dead = {name: code for name, process in processes.items() if (code := process.poll()) is not None}
    if not asked.is_set():
        say(f"{', '.join(dead)} stopped, so all services stop.")
    _stop(list(processes.values()))
    return 0 if asked.is_set() else abs(next(iter(dead.values()), 1)) or 1


def _start(python: Path, name: str, listening: socket.socket | None) -> subprocess.Popen[bytes]:
    """In a session of its own, so that Ctrl-C reaches it once, from here; it never outlives this process."""
    command = [str(python), "-m", "services.all_in_one", "--only", name]
    passed: tuple[int, ...] = ()
    if listening is not None:
        command += ["--fd", str(listening.fileno())]
        passed = (listening.fileno(),)
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
    parent = os.getpid()

    def end_with_parent() -> None:
        if prctl is not None:
            prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=clean_environment(),
        pass_fds=passed,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=end_with_parent,  # noqa: PLW1509 - no thread runs yet
    )


def _watch(process: subprocess.Popen[bytes], ended: threading.Event) -> None:
    process.wait()
    ended.set()


def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        if process.poll() is None:
            process.terminate()
    timer = threading.Timer(GRACE_S, _kill, args=(processes,))
    timer.daemon = True
    timer.start()
    for process in processes:
        process.wait()
    timer.cancel()


def _kill(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        if process.poll() is None:
            process.kill()
