"""One machine's WSGI server, when it stops."""

from __future__ import annotations

import http.client
from collections.abc import Iterable
from typing import Any

from shared.runtime.server import WebServer, listen


def _greeting(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]


def test_a_kept_connection_ends_when_the_server_stops() -> None:
    listening = listen(0)
    server = WebServer(_greeting, listening, threads=2)
    server.start()
    kept = http.client.HTTPConnection("127.0.0.1", listening.getsockname()[1], timeout=60)
    kept.request("GET", "/")
    assert kept.getresponse().read() == b"hello"

    server.stop()

    assert kept.sock.recv(1) == b""
    kept.close()
