"""One connection of the code to the gateway, from its first byte to its last."""

from __future__ import annotations

import ssl

import h11

from services.executor.egress.authority import RunAuthority
from services.executor.egress.forwarder import Forwarder
from services.executor.egress.peer import Peer
from services.executor.egress.taping import client_peer
from services.executor.egress.wire import SocketWire, TlsWire
from shared.errors import BadRequest, Unavailable
from shared.net.url import Endpoint

_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Session:
    def __init__(self, forwarder: Forwarder, authority: RunAuthority) -> None:
        self._forwarder = forwarder
        self._authority = authority

    async def serve(self, wire: SocketWire) -> None:
        """Ends when either side does; raises nothing but cancellation."""
        try:
            await self._requests(client_peer(wire, self._forwarder.tape), None)
            await wire.linger()
        except (OSError, h11.ProtocolError):
            # The code went away, or its answer could not be finished; the exchange is on record.
            pass
        finally:
            wire.close()

    async def _requests(self, client: Peer, tunnel: Endpoint | None) -> None:
        try:
            await self._one_by_one(client, tunnel)
        finally:
            client.end_take()

    async def _one_by_one(self, client: Peer, tunnel: Endpoint | None) -> None:
        while True:
            try:
                event = await client.next()
            except h11.RemoteProtocolError as error:
                await self._forwarder.refuse(client, _malformed(error), tunnel)
                return
            if not isinstance(event, h11.Request):
                return
            if event.method == b"CONNECT":
                await self._connect(client, event, tunnel)
                return
            await self._forwarder.answer(client, event, tunnel)
            if (client.http.our_state, client.http.their_state) != (h11.DONE, h11.DONE):
                return
            client.http.start_next_cycle()

    async def _connect(self, client: Peer, request: h11.Request, tunnel: Endpoint | None) -> None:
        if tunnel is not None:
            error = BadRequest("no tunnel inside a tunnel", code="malformed")
            await self._forwarder.refuse(client, error, tunnel)
            return
        target = await self._forwarder.open_tunnel(client, request)
        if target is None:
            return
        await client.next()
        if client.http.trailing_data[0]:
            error = BadRequest("bytes before the tunnel stood", code="malformed")
            self._forwarder.broken_tunnel(target, error)
            return
        heard = False
        try:
            await client.wire.send(_ESTABLISHED)
            peer = await self._secured(client, target)
            heard = peer is None
            if peer is not None:
                try:
                    await self._requests(peer, target)
                finally:
                    heard = bool(peer.received_bytes)
        finally:
            if not heard:  # also when the run ends meanwhile: reaching for the place is on record
                self._forwarder.unused_tunnel(target)

    async def _secured(self, client: Peer, target: Endpoint) -> Peer | None:
        """The code inside the tunnel; None when TLS never came about, which is on record then."""
        inside = TlsWire(client.wire, self._authority.context(target.host), server_side=True)
        try:
            await inside.handshake()
        except OSError as error:
            self._forwarder.broken_tunnel(target, self._why(inside, error))
            return None
        return client_peer(inside, self._forwarder.tape)

    def _why(self, inside: TlsWire, error: OSError) -> BadRequest | Unavailable:
        if self._authority.misnamed(inside.connection):
            return BadRequest("the TLS server name is not the tunnel's host", code="host_mismatch")
        if isinstance(error, ssl.SSLError):
            # Mostly a library that does not know the run's certificate authority.
            return Unavailable(f"the code broke off TLS: {error.reason}", code="tls_failed")
        return Unavailable("the code went away during TLS", code="client_gone")


def _malformed(error: h11.RemoteProtocolError) -> BadRequest:
    return BadRequest(f"not a request this gateway understands: {error}", code="malformed")
