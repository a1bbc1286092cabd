"""Whoever a job's own process asks: a server that answers as told, and the client of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from services.executor.task.calls import RunApi
from shared.clock import SystemClock

CLOCK = SystemClock()
Answer = Callable[[str, bytes, dict[str, str]], tuple[int, bytes]]


class Server:
    """Answers every request with `answer(path, body, headers)`."""

    def __init__(self, answer: Answer) -> None:
        class Handler(BaseHTTPRequestHandler):
            asked: ClassVar[Answer] = staticmethod(answer)

            def do_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, data = type(self).asked(self.path, body, dict(self.headers))
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_any

            def log_message(self, format: str, *args: object) -> None:
                return None

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


Serve = Callable[[Answer], str]


def api(url: str, patience_s: float = 20) -> RunApi:
    return RunApi(url, "token", "prc_1234567", CLOCK, patience_s=patience_s)
