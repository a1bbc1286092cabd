"""Where the model endpoint answers: a socket in the data folder on one machine, else below a path of the planner's own
service. The executor's egress gateway speaks to either."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from services.planner.adapters.messages_relay import MessagesRelay
from services.planner.endpoint.metered import MeteredCalls
from services.planner.endpoint.web import create_web
from services.planner.ports import Keys
from shared.net.model_endpoint import listen_at, socket_path
from shared.runtime.server import WebServer
from shared.runtime.shell import Kit
from shared.vault.run_tokens import RunTokens

# Decision: a call holds a thread while the model writes; more at once wait for one of these. The egress gateway
# lets a run have four connections here, so it takes eight runs to fill them.
_THREADS = 32


class ModelEndpoint:
    """All of it: asking with these keys. web: for the server around this service, below `model_endpoint.PREFIX`;
    None where the endpoint has a server of its own."""

    def __init__(self, kit: Kit, keys: Keys) -> None:
        self._relay = MessagesRelay(kit.clock)
        calls = MeteredCalls(kit.store, kit.readers["executor"], keys, self._relay, kit.clock, kit.ids)
        web = create_web(calls, RunTokens(kit.keys, kit.clock))
        self.web = web if kit.settings.pushed else None
        self._server = None if kit.settings.pushed else ModelServer(web, kit.data_dir)

    def start(self) -> None:
        if self._server is not None:
            self._server.start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()
        self._relay.close()


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
