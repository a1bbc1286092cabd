"""A WebSocket as `Multiplex` sees it, on either side."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator

from websockets.asyncio.connection import Connection
from websockets.exceptions import ConnectionClosed


class SocketChannel:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        # asyncio sets it only where the listening socket was made with the protocol's number.
        carrying: socket.socket = connection.transport.get_extra_info("socket")
        carrying.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def send(self, message: bytes) -> None:
        try:
            await self._connection.send(message)
        except ConnectionClosed as error:
            raise ConnectionResetError("the connection has ended") from error

    async def __aiter__(self) -> AsyncIterator[bytes | str]:
        try:
            while True:
                yield await self._connection.recv()
        except ConnectionClosed:
            return
