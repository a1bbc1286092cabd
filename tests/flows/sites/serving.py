"""A web server of this machine whose pages are functions, with what players and readers expect of one."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Page:
    """`text` is encoded as `charset` says; `data`, when given, is sent instead."""

    text: str = ""
    kind: str = "text/html"
    status: int = 200
    charset: str = "utf-8"
    data: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        return self.text.encode(self.charset) if self.data is None else self.data

    @property
    def content_type(self) -> str:
        return self.kind if self.data is not None else f"{self.kind}; charset={self.charset}"


NOT_HERE = Page("not here", "text/plain", 404)
Answering = Callable[[str, Mapping[str, str]], Page]


class WebServer:
    """answer: (path, query) -> page. requests: method and address of all, in order."""

    def __init__(self, answer: Answering, host: str = "127.0.0.1") -> None:
        self.requests: list[str] = []
        self._http = ThreadingHTTPServer((host, 0), _handler(answer, self.requests))
        self.port: int = self._http.server_address[1]
        self.address = f"http://{host}:{self.port}"
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


def _handler(answer: Answering, requests: list[str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _do(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            requests.append(f"{self.command} {self.path}")
            place = urlsplit(self.path)
            page = answer(place.path, dict(parse_qsl(place.query)))
            body, status, more = _part(page, self.headers.get("range"))
            self.send_response(status)
            sent = {"content-type": page.content_type, "content-length": str(len(body)), **more}
            for name, value in {**sent, **page.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_POST = do_HEAD = _do

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


def _part(page: Page, wanted: str | None) -> tuple[bytes, int, dict[str, str]]:
    """What a range asks for; films are read in pieces."""
    body = page.body
    found = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted or "")
    if page.status != 200 or found is None or int(found[1]) >= len(body):
        return body, page.status, {"accept-ranges": "bytes"}
    first, last = int(found[1]), int(found[2] or len(body) - 1)
    piece = body[first : last + 1]
    return piece, 206, {"content-range": f"bytes {first}-{first + len(piece) - 1}/{len(body)}"}
