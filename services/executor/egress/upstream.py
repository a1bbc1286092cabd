"""Connections of one run to the outside: names resolved and judged, pinned, reused, few per host."""

from __future__ import annotations

import asyncio
import socket
import ssl
from concurrent.futures import Executor
from dataclasses import dataclass

import h11

from services.executor.egress.model import Caps, Pace
from services.executor.egress.model_host import ModelDoor, model_wire
from services.executor.egress.peer import Peer
from services.executor.egress.wire import SocketWire, TlsWire, Wire
from shared.errors import BadRequest, Unavailable
from shared.net.allowance import Allowance
from shared.net.model_endpoint import MODEL_HOST
from shared.net.resolver import Resolver
from shared.net.url import Endpoint

# Servers close idle connections after 5 s and more; one kept longer is likelier stale than useful.
_IDLE_S = 4.0
_ADDRESSES_TRIED = 3
_UNLIMITED = 256


@dataclass(frozen=True)
class Outside:
    """What all runs share: the address rules, the name service and the roots to trust."""

    allowance: Allowance
    resolver: Resolver
    tls: ssl.SSLContext
    threads: Executor


@dataclass
class Connection:
    peer: Peer
    reused: bool = False
    idle_since: float = 0.0


class _Host:
    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.slots = asyncio.Semaphore(limit)
        self.active = 0
        self.idle: list[Connection] = []


class Upstreams:
    """One run's connections, keyed by scheme, host and port. Lives on the gateway's loop."""

    def __init__(self, outside: Outside, pace: Pace, caps: Caps, door: ModelDoor | None = None) -> None:
        self._outside = outside
        self._door = door
        self._limit = pace.connections or _UNLIMITED
        self._caps = caps
        self._hosts: dict[tuple[str, str, int], _Host] = {}

    async def acquire(self, target: Endpoint, *, fresh: bool) -> Connection:
        """Waits for one of the host's few places. `fresh` never reuses, for requests that must not be
        lost on a connection that is just being closed.

        Raises: BadRequest `no_such_host`, `address_refused`, `bad_certificate`; Unavailable
        `no_name_service`, `unreachable`, `timeout`.
        """
        host = self._host(target)
        await host.slots.acquire()
        host.active += 1
        try:
            if not fresh and (kept := self._kept(host)):
                return kept
            while host.idle and host.active + len(host.idle) > host.limit:
                host.idle.pop(0).peer.wire.close()
            return Connection(Peer(await self._connect(target), h11.CLIENT))
        except BaseException:
            self._free(host)
            raise

    def release(self, target: Endpoint, connection: Connection) -> None:
        """Gives the place back; keeps the connection when its last exchange ended cleanly."""
        host, http = self._host(target), connection.peer.http
        if http.our_state is h11.DONE and http.their_state is h11.DONE:
            http.start_next_cycle()
            connection.idle_since = asyncio.get_running_loop().time()
            host.idle.append(connection)
        else:
            connection.peer.wire.close()
        self._free(host)

    def close(self) -> None:
        for host in self._hosts.values():
            while host.idle:
                host.idle.pop().peer.wire.close()

    def _host(self, target: Endpoint) -> _Host:
        return self._hosts.setdefault((target.scheme, target.host, target.port), _Host(self._limit))

    def _free(self, host: _Host) -> None:
        host.active -= 1
        host.slots.release()

    def _kept(self, host: _Host) -> Connection | None:
        now = asyncio.get_running_loop().time()
        while host.idle:
            connection = host.idle.pop()
            if now - connection.idle_since < _IDLE_S and connection.peer.wire.idle():
                connection.reused = True
                return connection
            connection.peer.wire.close()
        return None

    async def _connect(self, target: Endpoint) -> Wire:
        try:
            async with asyncio.timeout(self._caps.connect_s):
                if target.host == MODEL_HOST:
                    return await model_wire(self._door, self._caps.silence_s)
                addresses = await self._addresses(target)
                plain = await self._first_reachable(target, addresses)
                return plain if target.scheme == "http" else await self._encrypted(plain, target.host)
        except TimeoutError as error:
            raise Unavailable(f"{target.host} did not answer in time", code="timeout") from error

    async def _addresses(self, target: Endpoint) -> tuple[str, ...]:
        loop, outside = asyncio.get_running_loop(), self._outside
        found = await loop.run_in_executor(outside.threads, outside.resolver, target.host, target.port)
        return outside.allowance.judge(target.host, target.port, found)

    async def _first_reachable(self, target: Endpoint, addresses: tuple[str, ...]) -> SocketWire:
        loop = asyncio.get_running_loop()
        for address in addresses[:_ADDRESSES_TRIED]:
            sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
            sock.setblocking(False)
            try:
                # Several addresses share the time, so that a dead first one does not use it up.
                async with asyncio.timeout(self._caps.connect_s / min(len(addresses), _ADDRESSES_TRIED)):
                    await loop.sock_connect(sock, (address, target.port))
                return SocketWire(sock, self._caps.silence_s)
            except OSError:
                # TimeoutError is one of them.
                sock.close()
            except BaseException:
                sock.close()
                raise
        raise Unavailable(f"{target.host} cannot be reached on port {target.port}", code="unreachable")

    async def _encrypted(self, plain: SocketWire, host: str) -> TlsWire:
        wire = TlsWire(plain, self._outside.tls, server_side=False, host=host)
        try:
            await wire.handshake()
            return wire
        except ssl.SSLCertVerificationError as error:
            plain.close()
            raise BadRequest(
                f"{host} does not prove that it is {host}: {error.verify_message}", code="bad_certificate"
            ) from error
        except OSError as error:
            plain.close()
            raise Unavailable(f"{host} broke off while encrypting", code="unreachable") from error
        except BaseException:
            plain.close()
            raise
