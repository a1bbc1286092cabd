"""Clients that ask for run after run, all in one thread: who measures takes no processor from what is measured."""

from __future__ import annotations

import json
import re
import selectors
import socket
import time
from collections.abc import Sequence

from tests.bench.application import TOKEN

_WAIT_S = 60
_PIECE = 1 << 16
_OVER = b'"settled_at":"'  # null until then
_HEAD = f"Host: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\nAccept-Language: en\r\n"


class _Client:
    """One agent's: a kept connection to ask on, and for each run one more for its stream, as a page has them."""

    def __init__(self, port: int, agent_id: str) -> None:
        self._address = ("127.0.0.1", port)
        self._agent_id = agent_id
        self._asking = socket.create_connection(self._address, timeout=_WAIT_S)
        self._stream: socket.socket | None = None
        self._read = b""

    @property
    def socket(self) -> socket.socket:
        """The one from which something is to come."""
        return self._stream or self._asking

    def ask(self) -> None:
        head = f"POST /api/v1/agents/{self._agent_id}/runs HTTP/1.1\r\n{_HEAD}"
        self._asking.sendall(
            f"{head}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}".encode()
        )
        self._read = b""

    def hear(self) -> bool:
        """Call when `socket` has something. True: a run's result is here."""
        piece = self.socket.recv(_PIECE)
        if not piece:
            raise RuntimeError(f"the server hung up: {self._read[:500]!r}")
        self._read += piece
        if self._stream is None:
            self._watch()
            return False
        # a line of its own for each event's data
        *lines, self._read = self._read.split(b"\n")
        if not any(_OVER in line for line in lines):
            return False
        self.close_stream()
        return True

    def _watch(self) -> None:
        head, _, body = self._read.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        if length is None or len(body) < int(length[1]):
            return
        if b" 202 " not in head.split(b"\r\n", 1)[0]:
            raise RuntimeError(f"no run: {self._read[:500]!r}")
        self._stream = socket.create_connection(self._address, timeout=_WAIT_S)
        path = f"/api/v1/runs/{json.loads(body)['id']}/events"
        self._stream.sendall(f"GET {path} HTTP/1.1\r\n{_HEAD}\r\n".encode())
        self._read = b""

    def close_stream(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def close(self) -> None:
        self.close_stream()
        self._asking.close()


def runs(port: int, agents: Sequence[str], seconds: float) -> tuple[int, float]:
    """How many results came, and within which time: each client asks for its next run once it has the last one's
    result, and for none after `seconds`. RuntimeError when the server says no."""
    clients = [_Client(port, agent_id) for agent_id in agents]
    begun, done = time.perf_counter(), 0
    with selectors.DefaultSelector() as waiting:
        for client in clients:
            client.ask()
            waiting.register(client.socket, selectors.EVENT_READ, client)
        while waiting.get_map():
            ready = waiting.select(_WAIT_S)
            if not ready:
                raise RuntimeError(f"nothing came for {_WAIT_S} seconds")
            for key, _events in ready:
                client = key.data
                waiting.unregister(key.fileobj)
                if client.hear():
                    done += 1
                    if time.perf_counter() - begun >= seconds:
                        continue
                    client.ask()
                waiting.register(client.socket, selectors.EVENT_READ, client)
    took = time.perf_counter() - begun
    for client in clients:
        client.close()
    return done, took
