"""Real HTTP and HTTPS servers on loopback that remember what reached them."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import socket
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self, cast
from urllib.parse import quote


@dataclass(frozen=True)
class Received:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int


@dataclass
class Seen:
    """What reached the server, in order of arrival."""

    requests: list[Received] = field(default_factory=list)
    connections: int = 0
    # Path -> content type and body, answered before anything else; `text/event-stream` comes in small pieces.
    pages: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    # For `/hold`: set once such a request has arrived, and what it then waits for.
    arrived: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20
    # Head and body leave in two writes; without this the second waits 40 ms for an acknowledgement.
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server_seen.connections += 1
        self._number = self.server_seen.connections

    @property
    def server_seen(self) -> Seen:
        return cast("_Server", self.server).seen

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline().strip() or b"0", 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def _serve(self) -> None:
        body = self._body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        got = Received(self.command, self.path, headers, body, self._number)
        self.server_seen.requests.append(got)
        if page := self.server_seen.pages.get(self.path.split("?")[0]):
            self._page(*page)
            return
        name = "answer_" + self.path.split("?")[0].strip("/").replace("-", "_").replace("/", "_")
        getattr(self, name, self.answer_ok)(got)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"content-length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _page(self, kind: str, body: bytes) -> None:
        if kind != "text/event-stream":
            self._send(200, body, {"content-type": kind})
            return
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for at in range(0, len(body), 17):
            piece = body[at : at + 17]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def answer_ok(self, got: Received) -> None:
        self._send(200, b"ok " + got.target.encode())

    def answer_echo(self, got: Received) -> None:
        shown = json.dumps({"headers": got.headers, "body": got.body.decode("latin-1")}).encode()
        self._send(200, shown, {"x-echo": got.headers.get("authorization", "-"), "content-type": "text/json"})

    def answer_echo_gzip(self, got: Received) -> None:
        """Compresses whatever the client said it understands."""
        shown = json.dumps(got.headers).encode()
        self._send(200, gzip.compress(shown), {"content-encoding": "gzip"})

    def answer_echo_brotli(self, got: Received) -> None:
        self._send(200, b"\x0b\x02\x80", {"content-encoding": "br"})

    def answer_echo_coded(self, got: Received) -> None:
        """The authorization value in the encodings that things are usually put into."""
        value = got.headers.get("authorization", "-").encode()
        coded = [base64.b64encode(b"x" * lead + value + b"yz") for lead in range(3)]
        coded += [base64.urlsafe_b64encode(value), value.hex().encode(), quote(value, safe="").encode()]
        self._send(200, b"\n".join(coded))

    def answer_echo_head(self, got: Received) -> None:
        value = got.headers.get("authorization", "-")
        self._send(
            200, b"see my head", {"x-echo": value, "set-cookie": f"s={value}", "x-base64": _base64(value)}
        )

    def answer_redirect(self, got: Received) -> None:
        self._send(302, b"", {"location": got.target.partition("to=")[2]})

    def answer_drip(self, got: Received) -> None:
        """The authorization value in chunks of three bytes."""
        self.send_response(200)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        text = f"before {got.headers.get('authorization', '-')} after".encode()
        for start in range(0, len(text), 3):
            piece = text[start : start + 3]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def answer_cut(self, got: Received) -> None:
        self.send_response(200)
        self.send_header("content-length", "1000")
        self.end_headers()
        self.wfile.write(b"only this")
        self.close_connection = True

    def answer_hangup(self, got: Received) -> None:
        self.close_connection = True

    def answer_last(self, got: Received) -> None:
        """A complete answer, after which the server closes without having said so."""
        self._send(200, b"last")
        self.close_connection = True

    def answer_hold(self, got: Received) -> None:
        """Answers when the test says so."""
        self.server_seen.arrived.set()
        self.server_seen.released.wait(self.timeout)
        self._send(200, b"held")

    def answer_big(self, got: Received) -> None:
        self._send(200, b"x" * 300_000)

    def answer_away(self, got: Received) -> None:
        self._send(302, b"", {"location": "http://169.254.169.254/latest"})

    def answer_hop(self, got: Received) -> None:
        self._send(302, b"", {"location": "/echo"})


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, tls: ssl.SSLContext | None, host: str) -> None:
        self.seen = Seen()
        self._tls = tls
        super().__init__((host, 0), _Handler)

    def finish_request(self, request: object, client_address: object) -> None:
        # In the connection's own thread, so that a handshake cannot hold up the next connection.
        try:
            if self._tls is None:
                _Handler(request, client_address, self)  # type: ignore[arg-type]
                return
            with self._tls.wrap_socket(request, server_side=True) as encrypted:  # type: ignore[arg-type]
                _Handler(encrypted, client_address, self)
        except OSError:
            pass

    def handle_error(self, request: object, client_address: object) -> None:
        raise AssertionError("the test server failed")


class CannedServer:
    """`with CannedServer() as server`: answers every connection's first bytes with `server.answer`, as it
    stands, and closes; `server.closed` is set after each."""

    def __init__(self) -> None:
        self.answer = b""
        self.closed = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            with accepted, contextlib.suppress(OSError):
                if accepted.recv(65536):
                    accepted.sendall(self.answer)
            self.closed.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Closing alone would leave the thread in accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


class Upstream:
    """`with Upstream(tls) as server`: serves until the block ends. `tls` is a server context or None; `host` an
    address of this machine."""

    def __init__(self, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self._server = _Server(tls, host)
        self.host = host
        self.port: int = self._server.server_address[1]
        self.seen = self._server.seen
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
