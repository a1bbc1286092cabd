"""Requests to a host that the platform itself answers: a package index as builder sandboxes see it."""

from __future__ import annotations

from pathlib import Path

import h11

from services.executor.egress.peer import Peer
from services.executor.ports import SiteAnswer

_CHUNK = 256 << 10


def site_headers(request: h11.Request) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers}


async def send_answer(client: Peer, method: str, answer: SiteAnswer) -> int:
    """Bytes of the body sent."""
    size = answer.body.stat().st_size if isinstance(answer.body, Path) else len(answer.body)
    headers = list(answer.headers)
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
