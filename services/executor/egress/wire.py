"""Byte streams over non-blocking sockets for one event loop: plain, and TLS on top of another one.

Own TLS pump instead of asyncio's streams: they lose bytes that arrive before an upgrade to TLS, and hide
which server name a refused client asked for.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Protocol

_CHUNK = 64 << 10
_LINGER_S = 1.0
_LINGER_CHUNKS = 64


class Wire(Protocol):
    async def recv(self) -> bytes:
        """Some bytes, or none at the end. Raises: OSError, TimeoutError when the peer stays silent."""

    async def send(self, data: bytes) -> None:
        """All of `data`, at the peer's speed. Raises as `recv`."""

    def close(self) -> None:
        """At once; may be called twice."""

    def idle(self) -> bool:
        """Whether nothing, not even an end, has arrived since the last `recv`."""


class SocketWire:
    def __init__(self, sock: socket.socket, silence_s: float) -> None:
        sock.setblocking(False)
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._silence_s = silence_s
        self._loop = asyncio.get_running_loop()

    async def recv(self) -> bytes:
        try:
            data = self._sock.recv(_CHUNK)
        except BlockingIOError:
            async with asyncio.timeout(self._silence_s):
                return await self._loop.sock_recv(self._sock, _CHUNK)
        # A peer that is always ready must not keep the other runs waiting.
        await asyncio.sleep(0)
        return data

    async def send(self, data: bytes) -> None:
        for start in range(0, len(data), _CHUNK):
            async with asyncio.timeout(self._silence_s):
                await self._loop.sock_sendall(self._sock, data[start : start + _CHUNK])

    def close(self) -> None:
        self._sock.close()

    async def linger(self) -> None:
        """Ends our side and reads on for a moment: closing with bytes unread would make the system discard
        what was sent last, and the peer would never see it."""
        try:
            self._sock.shutdown(socket.SHUT_WR)
            async with asyncio.timeout(_LINGER_S):
                for _ in range(_LINGER_CHUNKS):
                    if not await self._loop.sock_recv(self._sock, _CHUNK):
                        return
        except OSError:
            # TimeoutError is one of them: whoever goes on talking has had its moment.
            return

    def idle(self) -> bool:
        try:
            self._sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False


class TlsWire:
    """TLS over another wire. Call `handshake` first."""

    def __init__(
        self, under: Wire, context: ssl.SSLContext, *, server_side: bool, host: str | None = None
    ) -> None:
        self._under = under
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.connection = context.wrap_bio(self._in, self._out, server_side=server_side, server_hostname=host)

    async def handshake(self) -> None:
        """Raises: ssl.SSLError (its alert was sent), OSError, TimeoutError."""
        while True:
            try:
                self.connection.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                if not await self._fill():
                    raise ConnectionResetError("closed during the TLS handshake") from None
            except ssl.SSLError:
                await self._flush()
                raise
            else:
                return await self._flush()

    async def recv(self) -> bytes:
        while True:
            try:
                return self.connection.read(_CHUNK)
            except ssl.SSLWantReadError:
                await self._flush()
                if not await self._fill():
                    # Ended without a farewell: h11 knows whether the message was complete.
                    return b""
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""

    async def send(self, data: bytes) -> None:
        for start in range(0, len(data), _CHUNK):
            self.connection.write(data[start : start + _CHUNK])
            await self._flush()

    def close(self) -> None:
        self._under.close()

    def idle(self) -> bool:
        return not self._in.pending and not self.connection.pending() and self._under.idle()

    async def _flush(self) -> None:
        if data := self._out.read():
            await self._under.send(data)

    async def _fill(self) -> bool:
        data = await self._under.recv()
        if data:
            self._in.write(data)
        return bool(data)
