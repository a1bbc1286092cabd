"""Requests to a host that the platform itself answers: a package index as builder sandboxes see it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path

import h11

from services.executor.egress.peer import Peer
from services.executor.ports import SiteAnswer

_CHUNK = 256 << 10


def site_headers(request: h11.Request) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers}


async def send_answer(client: Peer, method: str, answer: SiteAnswer, threads: Executor) -> int:
    """Bytes of the body sent. threads: where pieces are waited for."""
    headers = list(answer.headers)
    if not isinstance(answer.body, bytes | Path):
        await client.send(h11.Response(status_code=answer.status, headers=headers))
        sent = 0 if method == "HEAD" else await _send_pieces(client, answer.body, threads)
        await client.send(h11.EndOfMessage())
        return sent
    size = answer.body.stat().st_size if isinstance(answer.body, Path) else len(answer.body)
    if not any(name == "content-length" for name, _value in headers):
        headers.append(("content-length", str(size)))
    await client.send(h11.Response(status_code=answer.status, headers=headers))
    sent = 0
    if method != "HEAD":
        if isinstance(answer.body, Path):
            with answer.body.open("rb") as file:
                while part := file.read(_CHUNK):
                    await client.send(h11.Data(data=part))
                    sent += len(part)
        elif answer.body:
            await client.send(h11.Data(data=answer.body))
            sent = size
    await client.send(h11.EndOfMessage())
    return sent


async def _send_pieces(client: Peer, pieces: Iterator[bytes], threads: Executor) -> int:
    loop, sent = asyncio.get_running_loop(), 0
    while piece := await loop.run_in_executor(threads, next, pieces, b""):
        await client.send(h11.Data(data=piece))
        sent += len(piece)
    return sent
