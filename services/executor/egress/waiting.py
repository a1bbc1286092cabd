"""What the way out of a sandbox that waits for its run answers: no, whoever asks for what, and on record.

Whoever speaks here is package code that is being imported. Nothing is looked up and nothing leaves.
"""

from __future__ import annotations

import asyncio
import socket
from functools import partial

import h11

from services.executor.egress.intake import asked_host
from services.executor.egress.model import Exchange, Recorder
from services.executor.egress.peer import Peer
from services.executor.egress.replies import problem
from services.executor.egress.wire import SocketWire
from shared.clock import Clock
from shared.errors import BadRequest, NotAllowed
from shared.net.url import split_authority

NOT_BOUND = "not_bound"
_SILENCE_S = 10.0
_PLACES = 8
_RECORDED = 20


class WaitingDoor:
    """Lives on the gateway's loop. The listener stays open when it closes: a run's door may follow."""

    def __init__(self, listener: socket.socket, record: Recorder, clock: Clock) -> None:
        self._listener = listener
        self._record = record
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._recorded = 0
        self._open = False

    async def open(self) -> None:
        self._listener.setblocking(False)
        self._open = True
        self._listen()

    def close(self) -> None:
        """At once: what is under way breaks off."""
        self._open = False
        asyncio.get_running_loop().remove_reader(self._listener)
        for task in self._tasks:
            task.cancel()

    async def end(self) -> None:
        """Close, and the listener, too."""
        self.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._listener.close()

    def _listen(self) -> None:
        if self._open and len(self._tasks) < _PLACES:
            asyncio.get_running_loop().add_reader(self._listener, self._accept)

    def _accept(self) -> None:
        try:
            accepted, _ = self._listener.accept()
        except OSError:
            return
        task = asyncio.get_running_loop().create_task(self._refuse(SocketWire(accepted, _SILENCE_S)))
        self._tasks.add(task)
        task.add_done_callback(partial(self._left, accepted))
        if len(self._tasks) >= _PLACES:
            asyncio.get_running_loop().remove_reader(self._listener)

    def _left(self, accepted: socket.socket, task: asyncio.Task[None]) -> None:
        accepted.close()
        self._tasks.discard(task)
        self._listen()

    async def _refuse(self, wire: SocketWire) -> None:
        """A connection is already an attempt, whatever is or is not said over it."""
        client = Peer(wire, h11.SERVER)
        method, target, port = "", "", 0
        try:
            event = await client.next()
            if isinstance(event, h11.Request):
                method, target, port = _asked(event)
                error = NotAllowed("no run has begun: nothing may be reached yet", code=NOT_BOUND)
                response, body = problem(error, None, last=True)
                await client.send(response, h11.Data(data=body), h11.EndOfMessage())
                await wire.linger()
        except (OSError, h11.ProtocolError):
            pass
        finally:
            self._note(method, target, port)

    def _note(self, method: str, host: str, port: int) -> None:
        self._recorded += 1
        if self._recorded > _RECORDED:
            return
        self._record(
            Exchange(
                run_id="",
                at_ms=int(self._clock.now().timestamp() * 1000),
                scheme="https" if method == "CONNECT" else "http",
                host=host,
                port=port,
                method="" if method == "CONNECT" else method,
                path="",
                status=403,
                bytes_out=0,
                bytes_in=0,
                duration_ms=0,
                effect="read",
                verdict="refused",
                reason=NOT_BOUND,
            )
        )


def _asked(request: h11.Request) -> tuple[str, str, int]:
    """(method, host, port); of what is no address the words themselves, and port 0."""
    method, place = request.method.decode("ascii", "replace"), asked_host(request)
    try:
        host, port = split_authority(place)
    except BadRequest:
        return method, place, 0
    return method, host, port or 80
