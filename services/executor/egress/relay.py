"""One allowed exchange between the code and upstream: the request out, the answer back, streamed."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import TypeVar

import h11

from services.executor.egress.decoding import decoder
from services.executor.egress.draft import Draft
from services.executor.egress.masking import Mask, MaskStream
from services.executor.egress.model import Caps
from services.executor.egress.outgoing import Body
from services.executor.egress.peer import Peer, end_to_end, header
from services.executor.egress.readings import Readings
from services.executor.egress.vault import Vault
from shared.errors import Unavailable
from shared.net.url import Endpoint

_T = TypeVar("_T")
# Of answers such as 100 and 103 before the real one; a server could send them for ever.
_PROVISIONAL_AT_MOST = 20


class Relay:
    """`client` is the code's side, `upstream` the world's. Trouble with the world raises Unavailable; with
    the code, OSError or h11.RemoteProtocolError."""

    def __init__(
        self,
        client: Peer,
        target: Endpoint,
        caps: Caps,
        vault: Vault,
        draft: Draft,
        body: Body,
        readings: Readings,
    ) -> None:
        self._client = client
        self._target = target
        self._caps = caps
        self._vault = vault
        self._draft = draft
        self._body = body
        self._readings = readings

    async def ask(self, upstream: Peer, request: h11.Request) -> h11.Response:
        """Sends the request with its body and returns the head of the final answer.

        Raises: as `Body.pieces`; Unavailable `no_answer`, `timeout`.
        """
        if self._body.follows:
            await self._outside(upstream.send(request))
            await self._upload(upstream)
        else:
            await self._outside(upstream.send(request, h11.EndOfMessage()))
        for _ in range(_PROVISIONAL_AT_MOST):
            event = await self._outside(upstream.next())
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse) or event.status_code == 101:
                break
        raise Unavailable(f"{self._target.host} gave no answer", code="no_answer")

    async def bring_back(self, upstream: Peer, response: h11.Response) -> None:
        """Passes the answer on, real secret values masked. Raises: Unavailable `no_answer`, `timeout`,
        `answer_too_large`; DecodeError `unreadable_answer`."""
        bodiless = self._draft.method == "HEAD" or response.status_code in (204, 304)
        searched = self._vault.guarded and not bodiless
        encoding = header(response, b"content-encoding") if searched else b""
        decode = decoder(encoding.decode("latin-1"))
        await self._client.send(_masked_head(response, self._vault.mask, reframed=searched))
        self._draft.head_sent = True
        self._draft.status = response.status_code
        masked, size = MaskStream(lambda: self._vault.mask), 0
        self._readings.begin()
        while True:
            event = await self._outside(upstream.next())
            if isinstance(event, h11.EndOfMessage):
                rest = [h11.Data(data=rest)] if (rest := masked.end()) else []
                return await self._client.send(*rest, h11.EndOfMessage())
            if not isinstance(event, h11.Data):
                raise Unavailable(f"{self._target.host} broke off its answer", code="no_answer")
            data = decode.feed(bytes(event.data))
            self._readings.add(data)
            size += len(data)
            if size > self._caps.answer_bytes:
                raise Unavailable("the answer is larger than allowed", code="answer_too_large")
            if out := masked.feed(data):
                await self._client.send(h11.Data(data=out))

    async def _upload(self, upstream: Peer) -> None:
        async for data in self._body.pieces():
            try:
                await upstream.send(h11.Data(data=data))
            except (BrokenPipeError, ConnectionResetError):
                # A server may answer (413, 401) and close without reading on; its answer counts.
                return
        await self._outside(upstream.send(h11.EndOfMessage()))

    async def _outside(self, step: Awaitable[_T]) -> _T:
        try:
            return await step
        except TimeoutError as error:
            raise Unavailable(f"{self._target.host} fell silent", code="timeout") from error
        except (OSError, h11.ProtocolError) as error:
            raise Unavailable(f"{self._target.host} broke off", code="no_answer") from error


def outgoing(request: h11.Request, target: Endpoint, headers: Sequence[tuple[bytes, bytes]]) -> h11.Request:
    """The request as upstream gets it: `headers` are the end-to-end ones, Host and framing are ours."""
    framing = [(b"transfer-encoding", b"chunked")] if header(request, b"transfer-encoding") else []
    return h11.Request(
        method=request.method,
        target=target.target,
        headers=[(b"Host", target.authority.encode()), *headers, *framing],
    )


def _masked_head(response: h11.Response, mask: Mask, *, reframed: bool) -> h11.Response:
    # The length of a masked or chunked body is not the one upstream announced.
    chunked = bool(header(response, b"transfer-encoding"))
    dropped = [b"content-length"] if reframed or chunked else []
    dropped += [b"content-encoding"] if reframed else []
    headers = [(name, mask.apply(value)) for name, value in end_to_end(response, *dropped)]
    return h11.Response(status_code=response.status_code, headers=headers, reason=mask.apply(response.reason))
