"""One side of a conversation, over a wire that plays back."""

from __future__ import annotations

import asyncio

import h11
import pytest

from services.executor.egress.peer import HEADER_BYTES, Peer, end_to_end


class PlayedWire:
    """Gives out the pieces one by one, then the end."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)
        self.sent = b""

    async def recv(self) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""

    async def send(self, data: bytes) -> None:
        self.sent += data

    def close(self) -> None:
        self._pieces.clear()

    def idle(self) -> bool:
        return not self._pieces


def test_a_head_is_bounded_even_when_its_last_piece_completes_it() -> None:
    start = b"GET / HTTP/1.1\r\nHost: a.example\r\nX: " + b"x" * (HEADER_BYTES - 1000)
    peer = Peer(PlayedWire(start, b"y" * 2000 + b"\r\n\r\n"), h11.SERVER)

    with pytest.raises(h11.RemoteProtocolError, match="too large"):
        asyncio.run(peer.next())


def test_a_client_that_waits_is_invited_only_when_its_body_is_wanted() -> None:
    head = b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    unwanted, wanted = PlayedWire(head), PlayedWire(head, b"ok")

    async def converse() -> h11.Event:
        refused = Peer(unwanted, h11.SERVER)
        await refused.next()
        assert not await refused.discard_body(1000)
        peer = Peer(wanted, h11.SERVER)
        await peer.next()
        return await peer.next()

    assert asyncio.run(converse()) == h11.Data(data=b"ok")
    assert unwanted.sent == b""
    assert wanted.sent.startswith(b"HTTP/1.1 100 ")


def test_a_body_longer_than_worth_reading_is_left() -> None:
    head = b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 30\r\n\r\n"

    async def discard(at_most: int) -> bool:
        peer = Peer(PlayedWire(head, b"x" * 10, b"x" * 10, b"x" * 10), h11.SERVER)
        await peer.next()
        return await peer.discard_body(at_most)

    assert asyncio.run(discard(30))
    assert not asyncio.run(discard(10))


def test_end_to_end_headers_keep_their_spelling_and_order() -> None:
    request = h11.Request(
        method="GET",
        target="/",
        headers=[
            ("Host", "a"),
            ("X-One", "1"),
            ("Connection", "X-Two, close"),
            ("X-Two", "2"),
            ("TE", "gzip"),
        ],
    )

    assert end_to_end(request, b"host") == [(b"X-One", b"1")]
