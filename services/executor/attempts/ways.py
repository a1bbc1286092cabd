"""An attempt's way out as whoever starts it sees it, and the one that leads through this process.

Read next: `remote_ways.py`, the one that leads through another.
"""

from __future__ import annotations

import socket
from typing import Protocol

from services.executor.attempts.sink import AttemptRecorder
from services.executor.egress.model import EgressReport, EgressRun


class Ways(Protocol):
    def open(self, out: EgressRun, recorder: AttemptRecorder, listener: socket.socket) -> str:
        """Returns the PEM of the authority its code must trust. The listener belongs to the way from now on; a way
        that does not end on this machine closes it. What is seen there reaches `recorder.exchange`."""

    def hear(self, recorder: AttemptRecorder) -> None:
        """What is seen at a way that another process has opened reaches this recorder from now on."""

    def let_go(self, attempt_id: str) -> None:
        """Another process hears it. Unknown ones are ignored."""

    def close(self, recorder: AttemptRecorder) -> None:
        """Ends it. The recorder has heard everything before this returns, and so has the tape. Another process may do
        it again until it is removed."""

    def remove(self, attempt_id: str) -> None:
        """What is kept of one that was closed and written down. Unknown ones are ignored."""

    def forget(self, attempt_id: str) -> None:
        """Ends the way of an attempt nobody records any more; does not wait. Unknown ones are ignored."""

    def stop(self) -> None:
        """Of this process. May be called twice."""


class Doors(Protocol):
    """The gateway in this process."""

    def open(self, run: EgressRun, listener: socket.socket) -> str: ...

    def close(self, run_id: str) -> EgressReport: ...


class LocalWays:
    def __init__(self, gateway: Doors) -> None:
        self._gateway = gateway

    def open(self, out: EgressRun, recorder: AttemptRecorder, listener: socket.socket) -> str:
        self._gateway.close(out.id)  # a sandbox that waited and died had it for a moment
        return self._gateway.open(out, listener)

    def hear(self, recorder: AttemptRecorder) -> None:
        return None  # it ended with the process that was the way

    def let_go(self, attempt_id: str) -> None:
        self._gateway.close(attempt_id)

    def close(self, recorder: AttemptRecorder) -> None:
        self._gateway.close(recorder.attempt_id)

    def remove(self, attempt_id: str) -> None:
        return None

    def forget(self, attempt_id: str) -> None:
        self._gateway.close(attempt_id)

    def stop(self) -> None:
        """The gateway is stopped by whoever made it."""
