"""The page people see while packages are installed, and its hand-over to the real server."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator

import pytest

from scripts.progress import Progress, ProgressServer, chosen_language, page


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen(16)
        yield one


@pytest.fixture
def progress(listening: socket.socket) -> Iterator[Progress]:
    seen = Progress()
    server = ProgressServer(listening, seen)
    server.start()
    yield seen
    server.stop()


def ask(listening: socket.socket, path: str, language: str = "en") -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", listening.getsockname()[1], timeout=30)
    connection.request("GET", path, headers={"Accept-Language": language})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, dict(answer.headers), body


def test_page_counts_packages_in_the_language_of_the_browser(
    listening: socket.socket, progress: Progress
) -> None:
    progress.set(7, 31, "flask")

    status, headers, korean = ask(listening, "/", "ko-KR,ko;q=0.9,en;q=0.8")
    _, _, english = ask(listening, "/", "en-US,en;q=0.9")

    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert "31개 중 7개" in korean
    assert '<html lang="ko">' in korean
    assert "7 of 31" in english
    assert 'http-equiv="refresh"' in english


def test_programs_are_told_to_come_back_when_the_server_is_not_there_yet(
    listening: socket.socket, progress: Progress
) -> None:
    progress.set(7, 31, "flask")

    status, headers, health = ask(listening, "/healthz")
    api_status, api_headers, problem = ask(listening, "/api/v1/agents")

    assert (status, headers["Retry-After"]) == (503, "1")
    assert json.loads(health) == {
        "status": "starting",
        "step": "packages",
        "done": 7,
        "total": 31,
        "name": "flask",
    }
    assert (api_status, api_headers["Retry-After"]) == (503, "1")
    assert api_headers["Content-Type"] == "application/problem+json"
    assert json.loads(problem)["code"] == "starting"


def test_a_visitor_waits_for_the_next_server_when_this_one_has_stopped(listening: socket.socket) -> None:
    first = ProgressServer(listening, Progress())
    first.start()
    first.stop()

    with socket.create_connection(("127.0.0.1", listening.getsockname()[1]), timeout=30) as visitor:
        visitor.sendall(b"GET / HTTP/1.0\r\n\r\n")
        second = ProgressServer(listening, Progress())
        second.start()
        assert visitor.recv(64).startswith(b"HTTP/1.0 200")
        second.stop()


def test_names_from_outside_are_escaped_on_the_page() -> None:
    shown = page({"step": "packages", "done": 1, "total": 2, "name": "<script>"}, "en")

    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "{{" not in shown


@pytest.mark.parametrize(
    ("accept", "language"),
    [("", "en"), ("ko", "ko"), ("en;q=0.5, ko;q=0.4", "en"), ("fr, ko;q=0.4", "ko"), ("ko;q=nonsense", "en")],
)
def test_language_follows_the_heavier_wish(accept: str, language: str) -> None:
    assert chosen_language(accept) == language
