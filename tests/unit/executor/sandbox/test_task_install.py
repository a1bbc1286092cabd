"""Installing packages in a job ends when it may take no longer, and when it is told to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.executor.ports import Ended
from services.executor.run_api.messages import Install
from services.executor.task.install import Installing
from services.executor.task.reporter import Reporter
from tests.fakes.sandbox import FakeSandbox
from tests.unit.executor.sandbox.asked import CLOCK, Serve, api

ORDER = Install(packages=(), workspace_id="ws_a", lock="", approved=(), language="en", upload=None)
LOCKED = "lantern==1.0 --hash=sha256:" + "0" * 64


class SilentIndex:
    """Takes every connection and never answers."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self._held: list[socket.socket] = []

    def carry(self, connection: socket.socket) -> None:
        self._held.append(connection)
        self.asked.set()

    def ready(self, at_most_s: float) -> None:
        return None

    def close(self) -> None:
        for one in self._held:
            one.close()


@pytest.fixture
def silent() -> Iterator[SilentIndex]:
    made = SilentIndex()
    yield made
    made.close()


def install(silent: SilentIndex, folder: Path, url: str, wanted: threading.Event, wall_s: float) -> Ended:
    reporter = Reporter(api(url), CLOCK, wanted)
    order = ORDER.model_copy(update={"lock": LOCKED})
    sandbox = FakeSandbox(folder / "sandbox")
    try:
        return Installing(order, api(url), sandbox, silent, folder, CLOCK).run(reporter, wanted, wall_s)
    finally:
        sandbox.close()
        reporter.close()


def test_it_ends_when_it_has_taken_too_long(silent: SilentIndex, tmp_path: Path, serve: Serve) -> None:
    url = serve(lambda path, body, headers: (200, b'{"stop": null}'))
    ended = install(silent, tmp_path, url, threading.Event(), 0.5)
    assert (ended.reason, ended.box) == ("wall", None)


def test_it_ends_when_it_is_told_to(silent: SilentIndex, tmp_path: Path, serve: Serve) -> None:
    def answer(path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        return 200, b'{"stop": "stopped"}' if silent.asked.is_set() else b'{"stop": null}'

    ended = install(silent, tmp_path, serve(answer), threading.Event(), 600)
    assert (ended.reason, ended.box) == ("stopped", None)
