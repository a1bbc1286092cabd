"""The host that asks a model: code speaks to it like to any other, behind it is the platform's own endpoint.

Read next: `model_place.py` (where that is), services/planner/endpoint (what may be asked there). Why:
docs/decisions/0031-the-model-endpoint.md, 0046.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

import h11

from services.executor.egress.model_place import ModelPlace
from services.executor.egress.wire import Wire
from shared.agentfile.model import HostRule
from shared.errors import NotAllowed, Unavailable
from shared.net.model_endpoint import MODEL_HOST, PREFIX, RUN_HEADER

RULE = HostRule(
    host=MODEL_HOST, methods=("GET", "POST"), effect="read", why="a model is asked, nothing is changed"
)
"""Of every run that was allowed tokens. Which addresses there are says the endpoint."""

# Whatever key the code sends stays here: who pays is said by the run token alone.
_PASSED_ON = frozenset({b"accept", b"anthropic-beta", b"content-length", b"content-type"})


@dataclass(frozen=True)
class ModelDoor:
    """The way of one run to the endpoint. token: a new proof of which run asks, for each request; may block."""

    place: ModelPlace
    token: Callable[[], str]

    def proof(self) -> list[tuple[bytes, bytes]]:
        """May block. Raises: Unavailable."""
        said = {**self.place.identity(), RUN_HEADER: self.token()}
        return [(name.encode("ascii"), value.encode("ascii")) for name, value in said.items()]


def model_headers(request: h11.Request) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in request.headers.raw_items() if name.lower() in _PASSED_ON]


async def proven(request: h11.Request, door: ModelDoor | None, threads: Executor) -> h11.Request:
    """The request as the endpoint gets it, with its proof: made when it is about to leave, since it may have waited
    longer than one lasts. threads: where making it may block. Raises: Unavailable, also where there is no endpoint."""
    if door is None:
        raise _no_endpoint()
    proof = await asyncio.get_running_loop().run_in_executor(threads, door.proof)
    kept = [(name, value) for name, value in request.headers.raw_items() if name.lower() != b"host"]
    host = (b"Host", door.place.authority.encode("ascii"))
    target = PREFIX.encode("ascii") + request.target
    return h11.Request(method=request.method, target=target, headers=[host, *kept, *proof])


async def model_wire(door: ModelDoor | None, silence_s: float) -> Wire:
    """Raises: Unavailable `unreachable`, as for any other server that does not listen."""
    if door is None:
        raise _no_endpoint()
    return await door.place.dial(silence_s)


def model_refusal(error: NotAllowed) -> NotAllowed:
    """Nobody can allow this host by its name: what allows it are tokens, and they allow all of it."""
    if error.code == "undeclared_host":
        return NotAllowed("this agent was allowed no tokens (tokens.per_run in agent.toml)", code="no_tokens")
    return NotAllowed(error.detail, code="not_listed")


def _no_endpoint() -> Unavailable:
    return Unavailable("there is no model endpoint here", code="unreachable")
