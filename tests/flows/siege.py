"""What an attacker on this machine can send, as raw bytes to the port; and a house at rest."""

from __future__ import annotations

import json
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tests.flows.house import House


@dataclass(frozen=True)
class Reply:
    """status 0: the connection was closed without an answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def send(port: int, raw: bytes, *, patience_s: float = 30) -> Reply:
    """One request as it is written, one answer; reads until the server closes or the length is reached."""
    with socket.create_connection(("127.0.0.1", port), timeout=patience_s) as connection:
        with suppress(OSError):  # it may have answered and hung up before the last byte
            connection.sendall(raw)
        data = b""
        with suppress(OSError):
            while not _complete(data) and (part := connection.recv(65536)):
                data += part
    return _reply(data)


def _complete(data: bytes) -> bool:
    head, found, body = data.partition(b"\r\n\r\n")
    if not found:
        return False
    lines = head.lower().split(b"\r\n")
    if b"text/event-stream" in head.lower():
        return True
    length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), None)
    return length is not None and len(body) >= length


def _reply(data: bytes) -> Reply:
    if not data:
        return Reply(0, {}, b"")
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Reply(int(first.split()[1]), headers, body)


def request(
    method: str, target: str, *, host: str, headers: dict[str, str] | None = None, body: bytes = b""
) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def at_rest(house: House, *, patience_s: float = 60) -> dict[str, str]:
    """Every document once nothing is under way any more, and two looks are alike."""
    end = time.monotonic() + patience_s
    last = house.holdings.documents()
    while time.monotonic() < end:
        time.sleep(0.1)
        now = house.holdings.documents()
        if now == last and not house.holdings.busy():
            return now
        last = now
    raise AssertionError("the house never came to rest")
