"""A Messages API server that plays a script: real HTTP on a port of 127.0.0.1, documented stream events.

`with MessagesServer(Reply(...)) as server:` and point a client at `server.url`.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from services.planner.ports import Usage
from tests.fakes.llm_script import (
    Asked,
    Call,
    Cut,
    Do,
    Fail,
    Fault,
    Garbage,
    Ping,
    Raw,
    Refuse,
    Reply,
    Say,
    Script,
    Scripted,
    Silence,
    Think,
    Truncate,
    complaint,
    pieces,
)
from tests.fakes.prompt_cache import PromptCache

KEY = "sk-ant-made-up"
_NOTHING_LEFT = Refuse(500, "api_error", "the script has no reply left")


@dataclass(frozen=True)
class Recorded:
    """One request. Header names are in small letters; `connection` is the same while one is kept open."""

    connection: int
    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]


class MessagesServer:
    """requests: those received, in order. left: set when a client went before its answer ended.
    used: what each answer was counted at, whether or not it came to its end. problems: of the script itself.
    answered: every request but those for counting, with what it got.

    tokens: what count_tokens says. Only `KEY` is let in. cache: counts every request as the API counts what it
    keeps ready, in place of the script's own figures and of `tokens`.
    """

    def __init__(self, *script: Scripted, cache: PromptCache | None = None) -> None:
        self._cache = cache
        self.requests: list[Recorded] = []
        self.used: list[Usage] = []
        self.answered: list[tuple[Recorded, Reply | Refuse]] = []
        self.problems: list[str] = []
        self.left = threading.Event()
        self.tokens = 25
        self._script = Script(*script)
        self._scripts: dict[str, Script] = {}
        self._lock = threading.Lock()
        self._http = _Http(("127.0.0.1", 0), _Handler)
        self._http.player = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def left_over(self) -> int:
        """Replies that nobody asked for yet."""
        with self._lock:
            return len(self._script)

    def enqueue(self, *script: Scripted) -> None:
        with self._lock:
            self._script.extend(*script)

    def plays(self, text: str, *script: Scripted) -> None:
        """For every conversation in which somebody said exactly `text`, apart from all others."""
        with self._lock:
            self._scripts.setdefault(text, Script()).extend(*script)

    def left_of(self, text: str) -> int:
        with self._lock:
            return len(self._scripts[text])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.end_connections()
        self._http.server_close()
        self._thread.join(10)

    def received(self, request: Recorded) -> tuple[int, Reply | Refuse]:
        """Records it; returns its number and what to answer. Counting takes a scripted refusal only."""
        counting = request.path.endswith("/count_tokens")
        with self._lock:
            self.requests.append(request)
            number = len(self.requests)
            if refusal := _unwelcome(request):
                return number, refusal
            if counting:
                if self._cache is not None:
                    self.tokens = self._cache.counted(request.body)
                return number, self._script_of(request).refusal() or Reply()
            try:
                answer = self._script_of(request).next_for(request.body) or _NOTHING_LEFT
            except (AssertionError, LookupError, TypeError, ValueError) as error:
                self.problems.append(repr(error))
                answer = Refuse(400, "invalid_request_error", f"the script does not fit: {error!r}")
            if self._cache is not None and isinstance(answer, Reply):
                answer = self._cache.answered(request.body, answer)
            if isinstance(answer, Reply):
                self.used.append(answer.usage)
            self.answered.append((request, answer))
            return number, answer

    def _script_of(self, request: Recorded) -> Script:
        if not self._scripts:
            return self._script
        said = Asked(request.body).said
        return next((script for text, script in self._scripts.items() if text in said), self._script)


def _unwelcome(request: Recorded) -> Refuse | None:
    sent = request.headers.get("authorization", "").removeprefix("Bearer ")
    if KEY not in (sent, request.headers.get("x-api-key")):
        return Refuse(401, "authentication_error", "invalid api key")
    if "anthropic-version" not in request.headers:
        return Refuse(400, "invalid_request_error", "anthropic-version: header is required")
    if request.path not in ("/v1/messages", "/v1/messages/count_tokens"):
        return Refuse(404, "not_found_error", "Not Found")
    if not request.path.endswith("/count_tokens") and not isinstance(request.body.get("max_tokens"), int):
        return Refuse(400, "invalid_request_error", "max_tokens: Field required")
    why = complaint(request.body)
    return Refuse(400, "invalid_request_error", why) if why else None


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    player: MessagesServer

    def __init__(self, *where: Any) -> None:
        super().__init__(*where)
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is gone is no error here; tests look at `left`."""

    def end_connections(self) -> None:
        with self._guard:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # a word goes out when it is written, as streaming servers send them
    server: _Http

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = json.loads(self.rfile.read(int(headers.get("content-length", 0))))
        player = self.server.player
        number, answer = player.received(
            Recorded(self.client_address[1], self.path.split("?")[0], headers, body)
        )
        self._request_id = f"req_{number}"
        if isinstance(answer, Refuse):
            error = {"type": answer.type, "message": answer.message}
            extra = {"retry-after": answer.retry_after, "location": answer.location}
            given = {name: text for name, text in extra.items() if text is not None}
            self._json(answer.status, {"type": "error", "error": error}, given)
        elif self.path.startswith("/v1/messages/count_tokens"):
            self._json(200, {"input_tokens": player.tokens}, {})
        elif not body.get("stream"):
            self._at_once(answer, str(body["model"]))
        else:
            try:
                self._stream(answer, body)
            except OSError:
                player.left.set()
                self.close_connection = True

    def _json(self, status: int, value: Mapping[str, Any], extra: Mapping[str, str]) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        headers = {"content-type": "application/json", "request-id": self._request_id, **extra}
        for name, text in (headers | {"content-length": str(len(data))}).items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(data)

    def _at_once(self, reply: Reply, model: str) -> None:
        """The whole answer as one document; whatever a script breaks off is one that never comes."""
        parts = [item for item in reply.items if not isinstance(item, Ping)]
        for item in parts:
            if isinstance(item, Do):
                item.action()
            elif isinstance(item, Cut | Truncate | Silence | Fail | Garbage):
                self.close_connection = True
                return
        blocks = [_whole(item) for item in parts if isinstance(item, Say | Think | Call | Raw)]
        message = _message(model, reply.usage) | {"content": blocks, "stop_reason": reply.reason}
        message["usage"] |= {"output_tokens": reply.usage.output}
        self._json(200, message, {})

    def _stream(self, reply: Reply, body: Mapping[str, Any]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("request-id", self._request_id)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for item in stream_of(reply, str(body["model"])):
            if isinstance(item, Do):
                item.action()
            elif isinstance(item, Cut | Truncate | Silence | Fail | Garbage):
                self._break(item)
                return
            else:
                self._event(item)
        self.wfile.write(b"0\r\n\r\n")

    def _event(self, data: Mapping[str, Any]) -> None:
        text = f"event: {data['type']}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
        self._chunk(text)

    def _chunk(self, text: bytes) -> None:
        self.wfile.write(f"{len(text):x}\r\n".encode() + text + b"\r\n")
        self.wfile.flush()

    def _break(self, fault: Fault) -> None:
        match fault:
            case Fail(type, message):
                self._event({"type": "error", "error": {"type": type, "message": message}})
                self.wfile.write(b"0\r\n\r\n")
            case Garbage(data):
                self._chunk(f"event: content_block_delta\ndata: {data}\n\n".encode())
                self.wfile.write(b"0\r\n\r\n")
            case Truncate():
                self.wfile.write(b"0\r\n\r\n")
            case Silence():
                self.close_connection = True
                while self.connection.recv(1024):
                    pass
                self.server.player.left.set()
            case Cut(reset):
                self.close_connection = True
                if reset:  # no waiting for what was sent: the other side sees a reset
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.connection.close()


def stream_of(reply: Reply, model: str) -> Iterator[dict[str, Any] | Do | Fault]:
    """The events of one answer, in the documented order, with what the script puts between them."""
    yield {"type": "message_start", "message": _message(model, reply.usage)}
    index = 0
    for item in reply.items:
        if isinstance(item, Say | Think | Call | Raw):
            yield from _block_events(index, item)
            index += 1
        elif isinstance(item, Ping):
            yield {"type": "ping"}
        else:
            yield item
    delta: dict[str, Any] = {"stop_reason": reply.reason, "stop_sequence": None}
    if reply.stop_details:
        delta["stop_details"] = {"type": "refusal", **reply.stop_details}
    yield {"type": "message_delta", "delta": delta, "usage": _counts(reply.usage, reply.usage.output)}
    if reply.fault_after_stop:
        yield reply.fault_after_stop
    yield {"type": "message_stop"}


def _whole(item: Say | Think | Call | Raw) -> dict[str, Any]:
    match item:
        case Say(text):
            return {"type": "text", "text": text}
        case Think(text, signature):
            return {"type": "thinking", "thinking": text, "signature": signature}
        case Call():
            return {"type": "tool_use", "id": item.id, "name": item.name, "input": dict(item.input or {})}
        case Raw(block):
            return dict(block)


def _block_events(index: int, item: Say | Think | Call | Raw) -> Iterator[dict[str, Any]]:
    def delta(**fields: str) -> dict[str, Any]:
        return {"type": "content_block_delta", "index": index, "delta": fields}

    match item:
        case Say(text, every):
            start: dict[str, Any] = {"type": "text", "text": ""}
            deltas = [delta(type="text_delta", text=piece) for piece in pieces(text, every)]
        case Think(text, signature, every):
            start = {"type": "thinking", "thinking": "", "signature": ""}
            deltas = [delta(type="thinking_delta", thinking=piece) for piece in pieces(text, every)]
            deltas.append(delta(type="signature_delta", signature=signature))
        case Call():
            start = {"type": "tool_use", "id": item.id, "name": item.name, "input": {}}
            deltas = [delta(type="input_json_delta", partial_json="")]
            deltas += [
                delta(type="input_json_delta", partial_json=piece) for piece in pieces(item.text, item.every)
            ]
        case Raw(block):
            start, deltas = dict(block), []
    yield {"type": "content_block_start", "index": index, "content_block": start}
    yield from deltas
    if not (isinstance(item, Say | Call) and item.open):
        yield {"type": "content_block_stop", "index": index}


def _message(model: str, usage: Usage) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": _counts(usage, output=1)
        | {
            "cache_creation": {
                "ephemeral_5m_input_tokens": usage.cache_write_5m,
                "ephemeral_1h_input_tokens": usage.cache_write_1h,
            }
        },
    }


def _counts(usage: Usage, output: int) -> dict[str, Any]:
    return {
        "input_tokens": usage.input,
        "output_tokens": output,
        "cache_creation_input_tokens": usage.cache_write_5m + usage.cache_write_1h,
        "cache_read_input_tokens": usage.cache_read,
        "output_tokens_details": {"thinking_tokens": usage.thinking if output == usage.output else 0},
    }
