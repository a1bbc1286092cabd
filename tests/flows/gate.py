"""A server that lets whoever asks wait until a test opens it: how a test holds a run where it wants it."""

from __future__ import annotations

import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_PATIENCE_S = 150.0


class Gate:
    """`arrived` is set once somebody waits. Open at first."""

    def __init__(self) -> None:
        self.arrived = threading.Event()
        self._open = threading.Event()
        self._open.set()
        gate = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                gate.arrived.set()
                gate._open.wait(_PATIENCE_S)
                with suppress(OSError):  # whoever waited may be gone
                    self.send_response(200)
                    self.send_header("content-length", "4")
                    self.end_headers()
                    self.wfile.write(b"open")

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def shut(self) -> None:
        self.arrived.clear()
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    def wait_for_somebody(self) -> None:
        assert self.arrived.wait(_PATIENCE_S), "nobody came to the gate"

    def close(self) -> None:
        self._open.set()
        self._server.shutdown()
        self._server.server_close()
