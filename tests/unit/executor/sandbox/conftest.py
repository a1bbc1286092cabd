"""Fixtures of more than one file here."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.unit.executor.sandbox.asked import Answer, Server


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], str]]:
    made: list[Server] = []

    def start(answer: Answer) -> str:
        made.append(Server(answer))
        return made[-1].url

    yield start
    for server in made:
        server.close()
