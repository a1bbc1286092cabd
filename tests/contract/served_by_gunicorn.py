"""`python -m tests.contract.served_by_gunicorn FOLDER [broken]`: a small application behind the server of the gcp
profile, which notes in FOLDER what it is told. /slow answers when FOLDER/go is there, /stream ends when it must leave.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from flask import Flask, Response

from shared.errors import Misconfigured
from shared.runtime.gunicorn_server import serve
from shared.runtime.pushes import Wsgi
from shared.runtime.server import listen


class Noting:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._leaving = threading.Event()
        app = Flask("noting")
        app.add_url_rule("/pid", "pid", lambda: str(os.getpid()))
        app.add_url_rule("/slow", "slow", self._slow)
        app.add_url_rule("/stream", "stream", lambda: Response(self._stream()))
        self.web: Wsgi | None = app.wsgi_app

    def start(self) -> None:
        self._note("start")

    def leave(self) -> None:
        self._note("leave")
        self._leaving.set()

    def stop(self) -> None:
        self._note("stop")

    def _note(self, what: str) -> None:
        with (self._folder / "told").open("a") as told:
            told.write(f"{what} {os.getpid()}\n")

    def _slow(self) -> str:
        (self._folder / "began").touch()
        pause = threading.Event()
        while not (self._folder / "go").exists():
            pause.wait(0.01)
        return "done"

    def _stream(self) -> Iterator[str]:
        yield "open\n"
        self._leaving.wait(60)
        yield "closed\n"


def main(folder: str, broken: str = "") -> int:
    listening = listen(0)
    print(listening.getsockname()[1], flush=True)

    def make() -> Noting:
        if broken:
            raise Misconfigured("AB_THIS is not that.")
        return Noting(Path(folder))

    return serve(make, listening)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
