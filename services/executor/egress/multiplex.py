"""Many byte streams over one connection that carries messages: the frames, and either side of it.

A frame is a message: kind (1 byte), number of the stream (4 bytes, big-endian), payload. The side that opens streams
numbers them upwards from 1, no number twice. Read next: `carrier.py` and `front.py`, the two ends.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from typing import Any, Protocol

from shared.errors import DecodeError

DATA_BYTES = 16 << 10
# What one side may send before the other has passed it on. Decision: 64 KiB over the few milliseconds between two
# machines of one region are more than a site delivers, and 64 streams that all stall hold 4 MiB.
WINDOW_BYTES = 64 << 10
STREAMS = 64
_HEAD = struct.Struct(">BI")
_CREDIT = struct.Struct(">I")
MESSAGE_BYTES = _HEAD.size + DATA_BYTES
# On close the system then tells the peer of a reset instead of an end: what it has read so far is not all.
_NO_LINGER = struct.pack("ii", 1, 0)


class Kind(IntEnum):
    OPEN = 1
    DATA = 2  # 1 to DATA_BYTES bytes, within the window
    END = 3  # nothing more will be sent in this direction
    RESET = 4  # the stream is over in both directions; what was under way is lost
    WINDOW = 5  # 4 bytes, big-endian: so many more bytes may be sent


@dataclass(frozen=True)
class Frame:
    kind: Kind
    stream: int
    payload: bytes = b""


class Channel(Protocol):
    """One connection. `send` waits while the other side is slow and raises OSError once it is gone; iteration ends
    with the connection."""

    async def send(self, message: bytes) -> None: ...

    def __aiter__(self) -> AsyncIterator[bytes | str]: ...


def encoded(frame: Frame) -> bytes:
    return _HEAD.pack(frame.kind, frame.stream) + frame.payload


def decoded(message: bytes | str) -> Frame:
    """Raises: DecodeError `bad_frame`."""
    if isinstance(message, str) or not _HEAD.size <= len(message) <= MESSAGE_BYTES:
        raise bad_frame("a message of another form")
    number, stream = _HEAD.unpack_from(message)
    payload = message[_HEAD.size :]
    try:
        kind = Kind(number)
    except ValueError as error:
        raise bad_frame("an unknown kind") from error
    expected = {Kind.DATA: bool(payload), Kind.WINDOW: len(payload) == _CREDIT.size}
    if stream == 0 or not expected.get(kind, not payload):
        raise bad_frame(f"{kind.name} of another form")
    return Frame(kind, stream, payload)


def bad_frame(what: str) -> DecodeError:
    return DecodeError(f"The other side broke the rules of the connection: {what}.", code="bad_frame")


def reset(joined: socket.socket) -> None:
    """Closes it so that whoever holds the other end learns that something is missing. May be called twice."""
    with suppress(OSError):
        joined.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    joined.close()


class Multiplex:
    """One side of a connection; on its loop alone. accept: makes the socket that a stream of the other side's is
    joined to, None when there is room for no more; absent: the other side may open none."""

    def __init__(self, channel: Channel, accept: Callable[[], socket.socket | None] | None = None) -> None:
        self._channel = channel
        self._accept = accept
        self._streams: dict[int, _Stream] = {}
        self._newest = 0
        self.ended = False
        self._none_open = asyncio.Event()
        self._none_open.set()

    @property
    def streams(self) -> int:
        """How many are open."""
        return len(self._streams)

    async def idle(self) -> None:
        """Waits until no stream is open."""
        await self._none_open.wait()

    async def run(self) -> None:
        """Until the connection ends; every stream ends with it. Raises: DecodeError when the other side broke the
        rules; the connection must then be closed."""
        try:
            async for message in self._channel:
                await self._take(decoded(message))
        finally:
            self.ended = True
            streams = list(self._streams.values())
            for stream in streams:
                stream.abort()
            await asyncio.gather(*(stream.over() for stream in streams))

    def open(self, joined: socket.socket) -> bool:
        """Begins a stream over `joined`, which belongs to it from now on. False when STREAMS are open: nothing has
        happened then."""
        if len(self._streams) >= STREAMS:
            return False
        self._newest += 1
        self._begin(self._newest, joined, announce=True)
        return True

    async def _take(self, frame: Frame) -> None:
        if frame.kind is Kind.OPEN:
            await self._opened(frame.stream)
            return
        if frame.stream > self._newest:
            raise bad_frame("a stream that was never opened")
        stream = self._streams.get(frame.stream)
        if stream is not None:  # of one that is over here more may still be under way
            stream.take(frame)

    async def _opened(self, number: int) -> None:
        if self._accept is None or number <= self._newest:
            raise bad_frame("a stream that may not be opened")
        self._newest = number
        joined = self._accept() if len(self._streams) < STREAMS else None
        if joined is None:
            await self._channel.send(encoded(Frame(Kind.RESET, number)))
        else:
            self._begin(number, joined, announce=False)

    def _begin(self, number: int, joined: socket.socket, *, announce: bool) -> None:
        stream = _Stream(number, joined, self._channel, self._left)
        self._streams[number] = stream
        self._none_open.clear()
        stream.start(announce=announce)

    def _left(self, number: int) -> None:
        del self._streams[number]
        if not self._streams:
            self._none_open.set()


class _Stream:
    def __init__(
        self,
        number: int,
        joined: socket.socket,
        channel: Channel,
        left: Callable[[int], None],
    ) -> None:
        joined.setblocking(False)
        if joined.family in (socket.AF_INET, socket.AF_INET6):
            joined.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._number = number
        self._socket = joined
        self._channel = channel
        self._left = left
        self._loop = asyncio.get_running_loop()
        # Both ways are waited for with an event: bytes that may be sent, and pieces that arrived.
        self._credit = WINDOW_BYTES
        self._may_send = asyncio.Event()
        self._arrived: deque[bytes] = deque()
        self._has_arrived = asyncio.Event()
        self._promised = WINDOW_BYTES
        self._ended = False
        self._aborted = False
        self._tasks: list[asyncio.Task[None]] = []
        self._ways = 2
        self._over = asyncio.Event()

    def start(self, *, announce: bool) -> None:
        for way in (partial(self._outward, announce=announce), self._inward):
            task = self._loop.create_task(self._guarded(way))
            self._tasks.append(task)
            task.add_done_callback(self._way_over)

    async def over(self) -> None:
        """Waits until nothing of it is left."""
        await self._over.wait()

    def take(self, frame: Frame) -> None:
        """Raises: DecodeError."""
        if frame.kind is Kind.RESET or self._aborted:
            self.abort()
        elif frame.kind is Kind.WINDOW:
            self._credit += _CREDIT.unpack(frame.payload)[0]
            if self._credit > WINDOW_BYTES:
                raise bad_frame("more room than was used")
            self._may_send.set()
        elif self._ended:
            raise bad_frame("more after the end")
        elif frame.kind is Kind.END:
            self._ended = True
            self._has_arrived.set()
        else:
            self._promised -= len(frame.payload)
            if self._promised < 0:
                raise bad_frame("more than there was room for")
            self._arrived.append(frame.payload)
            self._has_arrived.set()

    def abort(self) -> None:
        """Soon, and with a reset for whoever holds the other end of the socket. May be called twice."""
        self._aborted = True
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()

    async def _guarded(self, way: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await way()
        except OSError:
            self.abort()
            with suppress(OSError):
                await self._channel.send(encoded(Frame(Kind.RESET, self._number)))

    def _way_over(self, _: asyncio.Task[None]) -> None:
        self._ways -= 1
        if self._ways:
            return
        # Not before: the loop still has the socket's number while somebody waits for it.
        if self._aborted:
            reset(self._socket)
        else:
            self._socket.close()
        self._over.set()
        self._left(self._number)

    async def _outward(self, *, announce: bool) -> None:
        """From the socket into the connection."""
        if announce:
            await self._channel.send(encoded(Frame(Kind.OPEN, self._number)))
        while True:
            while self._credit <= 0:
                self._may_send.clear()
                await self._may_send.wait()
            data = await self._loop.sock_recv(self._socket, min(DATA_BYTES, self._credit))
            if not data:
                await self._channel.send(encoded(Frame(Kind.END, self._number)))
                return
            self._credit -= len(data)
            await self._channel.send(encoded(Frame(Kind.DATA, self._number, data)))

    async def _inward(self) -> None:
        """From the connection into the socket, at the speed of whoever reads there."""
        passed_on = 0
        while True:
            while not self._arrived:
                if self._ended:
                    self._socket.shutdown(socket.SHUT_WR)
                    return
                self._has_arrived.clear()
                await self._has_arrived.wait()
            data = self._arrived.popleft()
            await self._loop.sock_sendall(self._socket, data)
            passed_on += len(data)
            if passed_on >= WINDOW_BYTES // 2:
                self._promised += passed_on
                more = _CREDIT.pack(passed_on)
                passed_on = 0
                await self._channel.send(encoded(Frame(Kind.WINDOW, self._number, more)))
