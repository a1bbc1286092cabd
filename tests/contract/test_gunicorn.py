"""The gcp profile's server: one process works, and it ends as Cloud Run asks: SIGTERM, then ten seconds."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.runtime import gunicorn_server
from tests.contract.receiving import eventually

ROOT = Path(__file__).parents[2]
CLOUD_RUN_KILLS_S = 10


class Server:
    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        command = [sys.executable, "-m", "tests.contract.served_by_gunicorn", str(folder), *options]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def get(self, path: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def told(self) -> list[str]:
        return (self.folder / "told").read_text().splitlines()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    made.process.kill()
    made.process.communicate()


def test_everything_lives_in_one_process_and_that_is_not_the_first(server: Server) -> None:
    pids = {server.get("/pid") for _ in range(8)}
    assert server.told() == [f"start {pid}" for pid in pids]
    assert str(server.process.pid) not in pids


def test_what_is_under_way_is_answered_streams_end_and_then_all_is_stopped(server: Server) -> None:
    with ThreadPoolExecutor(2) as asking:
        slow, stream = asking.submit(server.get, "/slow"), asking.submit(server.get, "/stream")
        assert eventually((server.folder / "began").exists)
        server.process.send_signal(signal.SIGTERM)
        assert stream.result(30) == "open\nclosed\n"
        assert "stop" not in " ".join(server.told())
        (server.folder / "go").touch()
        assert slow.result(30) == "done"
        assert server.process.wait(30) == 0
    assert [line.split()[0] for line in server.told()] == ["start", "leave", "stop"]


def test_it_ends_when_a_request_does_not(server: Server) -> None:
    with ThreadPoolExecutor(1) as asking:
        slow = asking.submit(server.get, "/slow")
        assert eventually((server.folder / "began").exists)
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(60)  # nobody lets the request go; how long is a bound of its own (below)
        assert isinstance(slow.exception(30), OSError | http.client.HTTPException)
    assert [line.split()[0] for line in server.told()] == ["start", "leave", "stop"]


def test_it_gives_up_before_cloud_run_does() -> None:
    assert gunicorn_server.ANSWER_S < gunicorn_server.LEAVE_S < CLOUD_RUN_KILLS_S


def test_a_process_that_was_killed_is_replaced(server: Server) -> None:
    first = int(server.get("/pid"))
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: len(server.told()) == 2)
    assert server.told()[1] == f"start {server.get('/pid')}"


def test_what_cannot_start_says_why_and_ends(tmp_path: Path) -> None:
    server = Server(tmp_path, "broken")
    _, said = server.process.communicate(timeout=30)
    assert server.process.returncode == 3
    assert "AB_THIS is not that." in said
