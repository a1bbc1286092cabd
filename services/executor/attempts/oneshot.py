"""Runs a platform program on hostile material: the checker and the look. Waits for its end; ≤ 1 minute."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from services.executor.attempts.surroundings import Egress
from services.executor.egress.model import EgressRun
from services.executor.ports import Ended, Order, Sandbox
from shared.errors import Unavailable

_GRACE_S = 10.0


class _Waiting:
    def __init__(self) -> None:
        self.done = threading.Event()
        self.result: Ended | None = None

    def first_line(self) -> None:
        pass

    def log(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        pass

    def report(self, entry: Mapping[str, object]) -> None:
        pass

    def ended(self, result: Ended) -> None:
        self.result = result
        self.done.set()


class OneShot:
    def __init__(self, sandbox: Sandbox, egress: Egress) -> None:
        self._sandbox = sandbox
        self._egress = egress

    def run(
        self, order: Order, output: str, *, out: EgressRun | None = None, max_bytes: int = 1 << 20
    ) -> bytes | None:
        """The bytes of ./outputs/`output`, or None when the program did not end well or left none.
        `out` None: no way out at all. Raises Unavailable when no sandbox works here."""
        waiting = _Waiting()
        if out is not None:
            opened = out
            order = replace(order, egress=lambda listener: self._egress.open(opened, listener))
        handle = self._sandbox.start(order, waiting)
        try:
            if not waiting.done.wait(order.limits.wall_s + _GRACE_S) or waiting.result is None:
                self._sandbox.stop(handle)
                raise Unavailable("The sandbox did not answer in time.")
            return _read(waiting.result, output, max_bytes)
        finally:
            if out is not None:
                self._egress.close(out.id)
            self._sandbox.release(handle)

    def close(self) -> None:
        """Kill all of them. May be called twice."""
        self._sandbox.close()


def _read(ended: Ended, output: str, max_bytes: int) -> bytes | None:
    if ended.reason != "exited" or ended.exit_code != 0 or ended.box is None:
        return None
    return read_plain(ended.box / "outputs" / output, max_bytes)


def read_plain(path: Path, max_bytes: int) -> bytes | None:
    """A small regular file written by code, opened without following a link or waiting for a pipe."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(fd, "rb") as stream:
        data = stream.read(max_bytes + 1)
    return data if len(data) <= max_bytes else None
