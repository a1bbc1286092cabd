"""Answers the project's address while packages are installed, on the socket the server gets afterwards."""

from __future__ import annotations

import html
import json
import socket
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_TEXT = {
    "ko": {
        "title": "에이전트 빌더를 준비하고 있어요",
        "lead": "처음 한 번만 준비물을 받아요. 보통 1분이 걸리지 않아요. 이 화면은 저절로 넘어가요.",
        "packages": "준비물 받는 중",
        "starting": "서버를 켜는 중",
        "count": "{total}개 중 {done}개",
    },
    "en": {
        "title": "Getting Agent Builder ready",
        "lead": "The first start fetches what it needs, usually in under a minute. "
        "This page moves on by itself.",
        "packages": "Fetching packages",
        "starting": "Starting the server",
        "count": "{done} of {total}",
    },
}


@dataclass
class Progress:
    """What the page shows; one writer, many readers."""

    step: str = "packages"
    done: int = 0
    total: int = 0
    name: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def set(self, done: int, total: int, name: str, step: str = "packages") -> None:
        with self.lock:
            self.done, self.total, self.name, self.step = done, total, name, step

    def seen(self) -> dict[str, Any]:
        with self.lock:
            return {"step": self.step, "done": self.done, "total": self.total, "name": self.name}


class ProgressServer:
    """Serves `progress` on a duplicate of `listening`, which keeps queuing callers after `stop`."""

    def __init__(self, listening: socket.socket, progress: Progress) -> None:
        handler = type("Handler", (_Handler,), {"progress": progress})
        self._server = ThreadingHTTPServer(("", 0), handler, bind_and_activate=False)
        self._server.socket.close()
        self._server.socket = listening.dup()
        self._server.server_address = listening.getsockname()
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Lets answers under way finish, at most half a second each."""
        self._server.shutdown()
        self._server.socket.close()
        for thread in threading.enumerate():
            if thread is not threading.main_thread() and thread is not self._thread:
                thread.join(0.5)


class _Handler(BaseHTTPRequestHandler):
    progress: Progress
    timeout = 2  # seconds; browsers open spare connections and say nothing on them
    server_version = "agent-builder"
    sys_version = ""

    def _answer(self) -> None:
        seen = self.progress.seen()
        path = self.path.partition("?")[0]
        if path == "/" or (self.command == "GET" and "text/html" in self.headers.get("Accept", "")):
            language = chosen_language(self.headers.get("Accept-Language", ""))
            self._send(200, "text/html; charset=utf-8", page(seen, language).encode())
        elif path in ("/healthz", "/readyz"):
            self._send(503, "application/json", json.dumps({"status": "starting", **seen}).encode())
        else:
            problem = {
                "type": "about:blank",
                "title": "Starting",
                "status": 503,
                "code": "starting",
                "detail": "Packages are still being installed; try again in a second.",
            }
            self._send(503, "application/problem+json", json.dumps(problem).encode())

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        if status == 503:
            self.send_header("Retry-After", "1")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the terminal shows the same progress."""


def chosen_language(accept: str) -> str:
    """`ko` when Korean is wanted at least as much as English, else `en`."""
    weights = {"ko": 0.0, "en": 0.0}
    for part in accept.split(","):
        tag, _, parameters = part.strip().partition(";")
        key = tag.split("-")[0].lower()
        if key in weights:
            try:
                weight = float(parameters.partition("=")[2] or 1)
            except ValueError:
                weight = 0.0
            weights[key] = max(weights[key], weight)
    return "ko" if weights["ko"] and weights["ko"] >= weights["en"] else "en"


def page(seen: dict[str, Any], language: str) -> str:
    text = _TEXT[language]
    starting = seen["step"] == "starting"
    share = 1.0 if starting else min(0.97, seen["done"] / seen["total"]) if seen["total"] else 0.0
    count = "" if starting or not seen["total"] else text["count"].format(**seen)
    template = Path(__file__).with_name("progress.html").read_text(encoding="utf-8")
    values = {
        "language": language,
        "title": text["title"],
        "lead": text["lead"],
        "step": text["starting"] if starting else text["packages"],
        "count": count,
        "name": html.escape(str(seen["name"])) or "&nbsp;",
        "percent": str(max(3, round(share * 100))),
    }
    for key, value in values.items():
        template = template.replace("{{" + key + "}}", value)
    return template
