"""What an attacker on this machine can send, as raw bytes to the port; and what the databases hold."""

from __future__ import annotations

import json
import socket
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SERVICES = ("gateway", "planner", "executor", "scheduler", "ledger")


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


def holdings(folder: Path) -> dict[str, str]:
    """Every document of every service, by place; inbox marks of ticks and the like left out."""
    found: dict[str, str] = {}
    for service in SERVICES:
        with closing(sqlite3.connect(f"file:{folder}/{service}.db?mode=ro", uri=True, timeout=10)) as file:
            rows = file.execute(
                "SELECT coll, id, body FROM docs WHERE coll NOT IN ('_inbox', '_outbox')"
            ).fetchall()
        found |= {f"{service}/{coll}/{id}": body for coll, id, body in rows}
    return found


def at_rest(folder: Path, *, patience_s: float = 60) -> dict[str, str]:
    """`holdings` once nothing is under way any more: no job, no unsent fact, two looks alike."""
    end = time.monotonic() + patience_s
    last = holdings(folder)
    while time.monotonic() < end:
        time.sleep(0.1)
        now = holdings(folder)
        if now == last and not _under_way(folder):
            return now
        last = now
    raise AssertionError("the house never came to rest")


def _under_way(folder: Path) -> bool:
    for service in SERVICES:
        with closing(sqlite3.connect(f"file:{folder}/{service}.db?mode=ro", uri=True, timeout=10)) as file:
            left = file.execute("SELECT count(*) FROM docs WHERE coll IN ('_claims', '_outbox')").fetchone()[
                0
            ]
            if left:
                return True
    return False


def everything_in(folder: Path) -> bytes:
    """Every byte of every file of the data folder, the write-ahead logs among them."""
    return b"".join(
        path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.is_symlink()
    )
