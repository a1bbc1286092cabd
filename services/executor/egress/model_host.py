"""The host that asks a model: code speaks to it like to any other, behind it is the platform's own endpoint.

Read next: services/planner/endpoint (what may be asked there). Why: docs/decisions/0031-the-model-endpoint.md.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h11

from services.executor.egress.wire import SocketWire
from shared.agentfile.model import HostRule
from shared.errors import NotAllowed, Unavailable
from shared.net.model_endpoint import MODEL_HOST, RUN_HEADER, addressed

RULE = HostRule(
    host=MODEL_HOST, methods=("GET", "POST"), effect="read", why="a model is asked, nothing is changed"
)
"""Of every run that was allowed tokens. Which addresses there are says the endpoint."""

# Whatever key the code sends stays here: who pays is said by the run token alone.
_PASSED_ON = frozenset({b"accept", b"anthropic-beta", b"content-length", b"content-type"})


@dataclass(frozen=True)
class ModelDoor:
    """The way to the endpoint. token: a new proof of which run asks, for each request."""

    socket: Path
    token: Callable[[], str]


def model_headers(request: h11.Request) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in request.headers.raw_items() if name.lower() in _PASSED_ON]


def proven(request: h11.Request, door: ModelDoor | None) -> h11.Request:
    """The request with its proof: made when it is about to leave, since it may have waited longer than one lasts.
    Raises: Unavailable where there is no endpoint."""
    if door is None:
        raise _no_endpoint()
    headers = [*request.headers.raw_items(), (RUN_HEADER.encode(), door.token().encode())]
    return h11.Request(method=request.method, target=request.target, headers=headers)


async def model_wire(door: ModelDoor | None, silence_s: float) -> SocketWire:
    """Raises: Unavailable `unreachable`, as for any other server that does not listen."""
    if door is None:
        raise _no_endpoint()
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        with addressed(door.socket) as address:
            await asyncio.get_running_loop().sock_connect(sock, address)
    except OSError as error:
        sock.close()
        raise Unavailable("the model endpoint does not answer", code="unreachable") from error
    except BaseException:
        sock.close()
        raise
    return SocketWire(sock, silence_s)


def model_refusal(error: NotAllowed) -> NotAllowed:
    """Nobody can allow this host by its name: what allows it are tokens, and they allow all of it."""
    if error.code == "undeclared_host":
        return NotAllowed("this agent was allowed no tokens (tokens.per_run in agent.toml)", code="no_tokens")
    return NotAllowed(error.detail, code="not_listed")


def _no_endpoint() -> Unavailable:
    return Unavailable("there is no model endpoint here", code="unreachable")
