"""One side of a conversation in HTTP/1.1: a wire and the protocol's state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import h11

from services.executor.egress.wire import Wire

if TYPE_CHECKING:
    from services.executor.egress.taping import Take

Message = h11.Request | h11.Response

HEADER_BYTES = 60 << 10

_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)


class Peer:
    """Counts the bytes of headers and bodies in both directions, without TLS."""

    def __init__(self, wire: Wire, role: type[h11.CLIENT | h11.SERVER]) -> None:
        self.wire = wire
        self.http = h11.Connection(role, max_incomplete_event_size=HEADER_BYTES)
        # The exchange under way as the tape hears it; None where nothing is recorded.
        self.take: Take | None = None
        self.received_bytes = 0
        self.sent_bytes = 0

    async def next(self) -> h11.Event:
        """The next event; invites the body of a client that asked first (`Expect: 100-continue`).

        Raises: h11.RemoteProtocolError, OSError, TimeoutError.
        """
        while True:
            event = self.http.next_event()
            if not isinstance(event, type):
                _check_size(event)
                return event
            if event is h11.PAUSED:
                raise h11.RemoteProtocolError("a request before the last one was answered")
            if self.http.they_are_waiting_for_100_continue:
                await self.send(h11.InformationalResponse(status_code=100, headers=[]))
            data = await self.wire.recv()
            self.received_bytes += len(data)
            self.http.receive_data(data)

    async def send(self, *events: h11.Event) -> None:
        """Raises: h11.LocalProtocolError, OSError, TimeoutError."""
        data = b"".join(self.http.send(event) or b"" for event in events)
        if data:
            # Counted before: of a send that fails halfway nobody knows how much arrived.
            self.sent_bytes += len(data)
            await self.wire.send(data)

    def end_take(self) -> None:
        if self.take is not None:
            self.take.over()
            self.take = None

    async def discard_body(self, at_most: int) -> bool:
        """Reads on to the end of the message; False when that would take more than `at_most` bytes or an
        invitation, so that the connection cannot be used again."""
        size = 0
        while self.http.their_state is h11.SEND_BODY:
            if self.http.they_are_waiting_for_100_continue or size > at_most:
                return False
            event = await self.next()
            size += len(event.data) if isinstance(event, h11.Data) else 0
        return self.http.their_state is h11.DONE


def _check_size(event: h11.Event) -> None:
    # h11 bounds what is incomplete; a head that arrived in one piece may be larger.
    if isinstance(event, h11.Request | h11.Response):
        size = sum(len(name) + len(value) for name, value in event.headers)
        if size > HEADER_BYTES:
            raise h11.RemoteProtocolError("the headers are too large", error_status_hint=431)


def end_to_end(message: Message, *also_without: bytes) -> list[tuple[bytes, bytes]]:
    """The headers that travel past a proxy, spelled as received: without hop-by-hop ones and those that
    `Connection` names. `also_without` in lower case."""
    named = {
        part.strip().lower()
        for name, value in message.headers
        if name == b"connection"
        for part in value.split(b",")
    }
    dropped = _HOP_BY_HOP | named | set(also_without)
    return [(name, value) for name, value in message.headers.raw_items() if name.lower() not in dropped]


def header(message: Message, name: bytes) -> bytes:
    """The first value, or empty."""
    return next((value for key, value in message.headers if key == name), b"")
