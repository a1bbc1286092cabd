"""The body of one request on its way out: read ahead, searched for decoys, bounded."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

import h11

from services.executor.egress.decoys import StreamSearch, Tripwire
from services.executor.egress.peer import Peer
from shared.errors import NotAllowed, TooLarge

# A body up to this is searched whole before its first byte leaves; a longer one is searched while it leaves,
# each piece before it is sent, and its request never becomes complete.
_AHEAD_BYTES = 1 << 20


class Body:
    """`read` first, or hand it on with `pieces`."""

    def __init__(self, client: Peer, tripwire: Tripwire, at_most: int) -> None:
        self._client = client
        self._search = StreamSearch(tripwire)
        self._searched = bool(tripwire)
        self._at_most = at_most
        self._ahead: list[bytes] = []
        self._hash = hashlib.sha256()
        self.size = 0
        # Where the decoy stands that this body carried.
        self.decoy = ""

    @property
    def follows(self) -> bool:
        """Whether anything but the head is to be sent."""
        return bool(self._ahead) or self._client.http.their_state is h11.SEND_BODY

    @property
    def sha256(self) -> str:
        """Of what has been read so far."""
        return self._hash.hexdigest()

    async def read_ahead(self) -> None:
        """As much as is searched before anything leaves; nothing where there is nothing to search for.

        Raises: as `pieces`.
        """
        while self._searched and self.size < _AHEAD_BYTES and (data := await self._next()):
            self._ahead.append(data)

    async def read(self, keep_bytes: int) -> bytes:
        """The whole body; its first `keep_bytes` are returned. Raises: as `pieces`."""
        kept = bytearray()
        async for data in self.pieces():
            kept += data[: max(0, keep_bytes - len(kept))]
        return bytes(kept)

    def keep(self, data: bytes) -> None:
        """What was read is to be sent after all."""
        self._ahead = [data] if data else []

    async def pieces(self) -> AsyncIterator[bytes]:
        """Raises: TooLarge `request_too_large`; NotAllowed `decoy`, before the piece that completes one;
        ConnectionResetError when the code went away."""
        for data in self._ahead:
            yield data
        while data := await self._next():
            yield data

    async def _next(self) -> bytes:
        """The next piece, searched; empty at the end."""
        while self._client.http.their_state is h11.SEND_BODY:
            event = await self._client.next()
            if isinstance(event, h11.EndOfMessage):
                return b""
            if not isinstance(event, h11.Data):
                raise ConnectionResetError("the code went away in the middle of its request")
            data = bytes(event.data)
            self.size += len(data)
            if self.size > self._at_most:
                raise TooLarge("the request is larger than allowed", code="request_too_large")
            self._hash.update(data)
            self.decoy = self._search.feed(data)
            if self.decoy:
                raise NotAllowed("this request carries a secret it has no business with", code="decoy")
            if data:
                return data
        return b""
