"""A sink that only waits for the end."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Literal

from services.executor.ports import Ended, Usage


class Ending:
    def __init__(self) -> None:
        self._done = threading.Event()
        self._result = Ended("lost", None, Usage())

    def first_line(self) -> None:
        return None

    def log(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        return None

    def report(self, entry: Mapping[str, object]) -> None:
        return None

    def ended(self, result: Ended) -> None:
        self._result = result
        self._done.set()

    def wait(self) -> Ended:
        self._done.wait()
        return self._result
