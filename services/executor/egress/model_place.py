"""Where the planner answers for running agents: a socket of this machine, or its service's own address."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from services.executor.egress.wire import SocketWire, TlsWire, Wire
from shared.errors import Misconfigured, Unavailable
from shared.net.model_endpoint import MODEL_HOST, addressed
from shared.net.tls import client_context
from shared.net.url import authority

_PORTS = {"http": 80, "https": 443}


class ModelPlace(Protocol):
    """One for all runs of a process."""

    @property
    def authority(self) -> str:
        """For the Host header."""

    def identity(self) -> Mapping[str, str]:
        """Headers for whoever stands before it and knows nothing of runs. May block. Raises: Unavailable."""

    async def dial(self, silence_s: float) -> Wire:
        """A connection of its own. silence_s: how long the other side may say nothing. Raises: Unavailable
        `unreachable`."""


class NearbyPlanner:
    """path: of its socket. Nobody stands before it: the folder is closed to others."""

    authority = MODEL_HOST

    def __init__(self, path: Path) -> None:
        self._path = path

    def identity(self) -> Mapping[str, str]:
        return {}

    async def dial(self, silence_s: float) -> Wire:
        with addressed(self._path) as address:
            return SocketWire(await _connected(socket.AF_UNIX, address), silence_s)


class PlannerService:
    """url: http(s), without a path. Its address is the operator's own, so the rules for agents' hosts do not apply.
    identity: as ModelPlace's. tls: replaced in tests."""

    def __init__(
        self, url: str, identity: Callable[[], Mapping[str, str]], tls: ssl.SSLContext | None = None
    ) -> None:
        """Raises: Misconfigured."""
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = 0
        if parts.scheme not in _PORTS or not parts.hostname or port == 0 or parts.path.strip("/"):
            raise Misconfigured(f"AB_PLANNER_URL: {url!r} is not https://host")
        self._host = parts.hostname
        self._port = port or _PORTS[parts.scheme]
        self._tls = (tls or client_context()) if parts.scheme == "https" else None
        self.authority = authority(parts.scheme, self._host, self._port)
        self._identity = identity

    def identity(self) -> Mapping[str, str]:
        return self._identity()

    async def dial(self, silence_s: float) -> Wire:
        plain = SocketWire(await self._reached(), silence_s)
        if self._tls is None:
            return plain
        wire = TlsWire(plain, self._tls, server_side=False, host=self._host)
        try:
            await wire.handshake()
        except OSError as error:  # ssl.SSLError is one
            plain.close()
            raise _silent() from error
        except BaseException:
            plain.close()
            raise
        return wire

    async def _reached(self) -> socket.socket:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise _silent() from error
        last = _silent()
        for family, _kind, _protocol, _name, address in found:
            try:
                return await _connected(family, address)
            except Unavailable as error:
                last = error
        raise last


async def _connected(family: int, address: str | tuple[str | int | bytes, ...]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(sock, address)
    except OSError as error:
        sock.close()
        raise _silent() from error
    except BaseException:
        sock.close()
        raise
    return sock


def _silent() -> Unavailable:
    return Unavailable("the model endpoint does not answer", code="unreachable")
