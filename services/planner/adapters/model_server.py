"""The model endpoint on this machine: a socket in the data folder, which the executor's egress gateway speaks to."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from shared.net.model_endpoint import listen_at, socket_path
from shared.runtime.server import WebServer

# Decision: a call holds a thread while the model writes; more at once wait for one of these. The egress gateway
# lets a run have four connections here, so it takes eight runs to fill them.
_THREADS = 32


class ModelServer:
    """`start` may be called once; `stop` ends calls under way, whose reservations then count as spent."""

    def __init__(self, web: Flask, data_dir: Path) -> None:
        self._web = web
        self._path = socket_path(data_dir)
        self._server: WebServer | None = None

    def start(self) -> None:
        self._server = WebServer(self._web, listen_at(self._path), _THREADS)
        self._server.start()

    def stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.stop()
            self._path.unlink(missing_ok=True)
