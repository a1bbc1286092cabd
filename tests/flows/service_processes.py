"""The processes of a house that has one for each service."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.machine import own_mounts
from tests.zygote import ROOT, Forked, zygote

PATIENCE_S = 60
_PROGRAM = "tests.flows.one_service"
# Firestore's emulator mixes up the bytes of what it tells watchers while many write (firebase/firebase-js-sdk#6724);
# the watch begins anew.
_GARBLED = re.compile(
    r"^ERROR grpc\._common: Exception deserializing message!\n(?:(?!^[A-Z]+ ).*\n)*?"
    r"google\.protobuf\.message\.DecodeError: .*'google\.firestore\.v1\.ListenResponse'.*\n",
    re.MULTILINE,
)


class ServiceProcesses:
    """folder: for what they say. clock: a FileShiftedClock's file. forked: by this process's zygote (tests/zygote.py),
    each on a machine of its own; else `python -m` starts them, on this one."""

    def __init__(self, folder: Path, clock: Path, *, forked: bool) -> None:
        self._folder = folder
        self._clock = clock
        self._forked = forked
        self._running: dict[str, subprocess.Popen[bytes] | Forked] = {}

    def start(self, service: str, environment: Mapping[str, str], fd: int | None = None) -> None:
        """fd: a listening socket of its own. Beside `environment` it has this process's."""
        arguments = [service, str(self._clock)] + ([] if fd is None else [str(fd)])
        passed = [] if fd is None else [fd]
        env = {**os.environ, **environment}
        with self._said(service).open("ab") as said:
            if self._forked:
                self._running[service] = zygote().start(
                    _PROGRAM, arguments, env=env, said=said, pass_fds=passed, stdin=True
                )
                return
            self._running[service] = subprocess.Popen(
                own_mounts([sys.executable, "-m", _PROGRAM, *arguments]),
                cwd=ROOT,
                env=env,
                pass_fds=passed,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
            )

    def kill(self, service: str) -> None:
        """SIGKILL to all of the service's processes at once, as when an instance is lost."""
        process = self._running.pop(service)
        os.killpg(process.pid, signal.SIGKILL)
        _ended(process)

    def leave(self, service: str) -> None:
        """SIGTERM, as Cloud Run sends it to an instance that is no longer needed."""
        process = self._running.pop(service)
        process.terminate()
        status = _ended(process)
        assert status == 0, (
            f"{service} ended with {status}: {self._said(service).read_text(errors='replace')}"
        )

    def close(self) -> str:
        """Empty when all were alive, ended well and logged no error; else what was wrong."""
        died = [name for name, process in self._running.items() if process.poll() is not None]
        for process in self._running.values():
            process.terminate()
        statuses = {name: _ended(process) for name, process in self._running.items()}
        said = {
            name: _GARBLED.sub("", self._said(name).read_text(errors="replace")) for name in self._running
        }
        if died:
            return f"died while it should work: {[(name, said[name]) for name in died]}"
        if set(statuses.values()) - {0}:
            return f"{statuses} {said}"
        if any("ERROR" in text or "Traceback" in text for text in said.values()):
            return str(said)
        return ""

    def _said(self, service: str) -> Path:
        return self._folder / f"{service}.stderr.txt"


def _ended(process: subprocess.Popen[bytes] | Forked) -> int | str:
    assert process.stdin is not None
    process.stdin.close()
    try:
        return process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return "did not end when asked"
