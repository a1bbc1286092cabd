"""Three shops with three markups, and a place for webhooks, on real local HTTP servers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Item = tuple[str, str, int]  # id, title, price in won
Answer = Callable[[str, str, bytes], tuple[int, str, bytes]]
# A shop is a website of its own: an agent reads one host once a second, and three hosts at once.
HOSTS = {"a": "127.0.0.1", "b": "127.0.0.2", "c": "127.0.0.3"}
_TRIES = 20


def opened(ports: Iterable[int]) -> str:
    """AB_EGRESS_ALLOW_PRIVATE for servers of these ports."""
    return ",".join(f"{host}:{port}" for port in ports for host in HOSTS.values())


DAY_ONE: dict[str, list[Item]] = {
    "a": [
        ("a1", "리넨 셔츠 화이트", 39000),
        ("a2", "데님 팬츠 인디고", 59000),
        ("a3", "울 머플러 그레이", 28000),
    ],
    "b": [("b1", "캠핑 의자 접이식", 45000), ("b2", "캠핑 랜턴 충전식", 33000)],
    "c": [
        ("c1", "원두 에티오피아 200g", 14000),
        ("c2", "원두 콜롬비아 200g", 13000),
        ("c3", "드립백 세트", 19000),
    ],
}


class Shops:
    """`items` may be changed between runs; `trouble[shop]` is one of "500", "markup", "empty", "redesign" (of shop a:
    the same goods as a table) or absent. host: where all of them are, in place of HOSTS.
    """

    def __init__(self, host: str = "") -> None:
        self.items = {name: list(items) for name, items in DAY_ONE.items()}
        self.trouble: dict[str, str] = {}
        self.requests: list[str] = []
        self._host = host
        self._servers = _serve_on_each(self._answer, [host] if host else [*HOSTS.values()])
        self.port: int = self._servers[0].server_address[1]

    def place(self, shop: str) -> str:
        return f"{self._host or HOSTS[shop]}:{self.port}"

    def address(self, shop: str) -> str:
        return f"http://{self.place(shop)}/{shop}/new"

    def close(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def _answer(self, method: str, path: str, body: bytes) -> tuple[int, str, bytes]:
        self.requests.append(f"{method} {path}")
        shop = path.strip("/").split("/")[0]
        if shop not in self.items:
            return 404, "text/plain", b"not here"
        trouble = self.trouble.get(shop)
        if trouble == "500":
            return 500, "text/plain", b"broken"
        items = [] if trouble == "empty" else self.items[shop]
        page = (
            "<html><body><p>새 단장 중이에요</p></body></html>"
            if trouble == "markup"
            else (_table if trouble == "redesign" else _PAGES[shop])(items)
        )
        if shop == "c":
            return 200, "text/html; charset=euc-kr", page.encode("euc-kr")
        return 200, "text/html; charset=utf-8", page.encode()


def _json_ld(items: list[Item]) -> str:
    products = [
        {
            "@type": "Product",
            "name": t,
            "url": f"/a/{i}",
            "offers": {"@type": "Offer", "price": p, "priceCurrency": "KRW"},
        }
        for i, t, p in items
    ]
    graph = json.dumps({"@context": "https://schema.org", "@graph": products}, ensure_ascii=False)
    script = f'<script type="application/ld+json">{graph}</script>'
    return f"<html><head><title>가게 A</title>{script}</head><body></body></html>"


def _table(items: list[Item]) -> str:
    rows = "".join(f'<tr><td><a href="/b/{i}">{t}</a></td><td>{p:,}원</td></tr>' for i, t, p in items)
    table = f"<table><tr><th>상품</th><th>가격</th></tr>{rows}</table>"
    return f"<html><head><title>가게 B</title></head><body>{table}</body></html>"


def _blocks(items: list[Item]) -> str:
    cards = "".join(
        f'<li class="card"><a href="/c/{i}"><strong class="name">{t}</strong></a>'
        f'<span class="price">{p:,}원</span></li>'
        for i, t, p in items
    )
    head = '<meta charset="euc-kr"><title>가게 C</title>'
    return f'<html><head>{head}</head><body><ul class="list">{cards}</ul></body></html>'


_PAGES: dict[str, Callable[[list[Item]], str]] = {"a": _json_ld, "b": _table, "c": _blocks}


class Sink:
    """Takes webhook posts. `answer` is what it says; `hold`, when set, is waited for before answering."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, object]] = []
        self.answer: tuple[int, bytes] = (200, b"ok")
        self.hold: threading.Event | None = None
        self._server = _serve(self._answer)
        self.port: int = self._server.server_address[1]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/services/T0001/B0001/x9Yk2LmQ7pRs4TuVw8ZaBcDe"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, method: str, path: str, body: bytes) -> tuple[int, str, bytes]:
        self.bodies.append(json.loads(body or b"{}"))
        if self.hold is not None:
            self.hold.wait(30)
        return self.answer[0], "text/plain", self.answer[1]


def _serve_on_each(answer: Answer, hosts: list[str]) -> list[ThreadingHTTPServer]:
    """At one port; another where one of them has it taken."""
    for _ in range(_TRIES):
        servers = [_serve(answer, hosts[0])]
        port = servers[0].server_address[1]
        with suppress(OSError):
            servers.extend(_serve(answer, host, port) for host in hosts[1:])
        if len(servers) == len(hosts):
            return servers
        for server in servers:
            server.shutdown()
            server.server_close()
    raise OSError("no port is free at all addresses")


def _serve(answer: Answer, host: str = "127.0.0.1", port: int = 0) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, kind, data = answer(self.command, self.path, body)
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        do_GET = do_POST = do_HEAD = _do

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer((host, port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
