"""One HTTP/1.1 request and its answer on a connected socket, within a deadline."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass

import h11

from shared.clock import Clock
from shared.errors import BadRequest, Unavailable
from shared.net.url import Endpoint

_HEADER_BYTES = 64 << 10


@dataclass(frozen=True)
class Answer:
    """`headers` in the order received, names in lower case. `cut`: the body was longer than allowed."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    url: str
    cut: bool = False

    def header(self, name: str) -> str | None:
        """The first header of that name, or None."""
        return next((value for key, value in self.headers if key == name.lower()), None)


class Deadline:
    """Seconds left of one call, over all its steps."""

    def __init__(self, clock: Clock, timeout_s: float) -> None:
        self._clock = clock
        self._end = clock.monotonic() + timeout_s

    def left(self) -> float:
        """More than zero. Raises: Unavailable (`unreachable`) when the time is up."""
        left = self._end - self._clock.monotonic()
        if left <= 0:
            raise Unavailable("the time for this call is up", code="unreachable")
        return left


def exchange(
    connection: socket.socket,
    method: str,
    target: Endpoint,
    headers: Mapping[str, str],
    body: bytes,
    deadline: Deadline,
    max_bytes: int,
) -> Answer:
    """Raises: BadRequest for headers no request can have; Unavailable `no_answer` once a byte was sent."""
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEADER_BYTES)
    request = _request(http, method, target, headers, body)
    try:
        connection.settimeout(deadline.left())
        connection.sendall(request)
        return _answer(http, connection, target, deadline, max_bytes)
    except (OSError, h11.RemoteProtocolError, Unavailable) as error:
        raise Unavailable(f"{target.host} gave no usable answer", code="no_answer") from error


def _request(
    http: h11.Connection, method: str, target: Endpoint, headers: Mapping[str, str], body: bytes
) -> bytes:
    ours = {"host", "connection", "content-length", "transfer-encoding"}
    lines = [("host", target.authority), ("connection", "close")]
    lines += [(name, value) for name, value in headers.items() if name.lower() not in ours]
    if not any(name.lower() == "user-agent" for name in headers):
        lines.append(("user-agent", "AgentBuilder/1"))
    if body or method not in ("GET", "HEAD"):
        lines.append(("content-length", str(len(body))))
    try:
        data = http.send(h11.Request(method=method, target=target.target, headers=lines))
        data += http.send(h11.Data(data=body)) if body else b""
        return data + http.send(h11.EndOfMessage())
    except (h11.LocalProtocolError, UnicodeEncodeError) as error:
        raise BadRequest(f"not a valid request: {error}", code="bad_url") from error


def _answer(
    http: h11.Connection, connection: socket.socket, target: Endpoint, deadline: Deadline, max_bytes: int
) -> Answer:
    status, body = 0, bytearray()
    headers: tuple[tuple[str, str], ...] = ()
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            connection.settimeout(deadline.left())
            http.receive_data(connection.recv(65536))
        elif isinstance(event, h11.Response):
            status, headers = event.status_code, _text(event)
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > max_bytes:
                return Answer(status, headers, bytes(body[:max_bytes]), target.url, cut=True)
        elif isinstance(event, h11.EndOfMessage):
            return Answer(status, headers, bytes(body), target.url)
        elif isinstance(event, h11.ConnectionClosed):
            raise Unavailable(f"{target.host} closed without an answer", code="no_answer")


def _text(response: h11.Response) -> tuple[tuple[str, str], ...]:
    return tuple((name.decode("ascii"), value.decode("latin-1")) for name, value in response.headers)
