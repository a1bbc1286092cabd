"""One run's listening socket and everything behind it. Lives on the gateway's loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine
from functools import partial

from services.executor.egress.authority import RunAuthority
from services.executor.egress.forwarder import Forwarder
from services.executor.egress.model import EgressReport, EgressRun
from services.executor.egress.practice.site import PracticeSite
from services.executor.egress.session import Session
from services.executor.egress.upstream import Outside
from services.executor.egress.wire import SocketWire
from shared.clock import Clock

# The code may keep a connection open while it computes.
_CLIENT_SILENCE_S = 600
# After a failed accept (no file descriptors left); short enough not to be felt, long enough not to spin.
_PAUSE_S = 0.2


class Door:
    def __init__(
        self, run: EgressRun, listener: socket.socket, outside: Outside, practice: PracticeSite, clock: Clock
    ) -> None:
        self._listener = listener
        self._forwarder = Forwarder(run, outside, practice, clock)
        self._authority = RunAuthority(clock.now())
        self._places = asyncio.Semaphore(run.caps.client_connections)
        self._tasks: set[asyncio.Task[None]] = set()
        self.ca_pem = self._authority.ca_pem

    async def open(self) -> None:
        self._listener.setblocking(False)
        self._keep(self._accept())

    async def close(self) -> EgressReport:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._forwarder.close()
        self._listener.close()
        return self._forwarder.meter.report()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            # Connections over the limit wait in the socket's backlog.
            await self._places.acquire()
            try:
                accepted, _ = await loop.sock_accept(self._listener)
            except OSError:
                self._places.release()
                await asyncio.sleep(_PAUSE_S)
                continue
            session = Session(self._forwarder, self._authority)
            task = self._keep(session.serve(SocketWire(accepted, _CLIENT_SILENCE_S)))
            task.add_done_callback(partial(self._left, accepted))

    def _left(self, accepted: socket.socket, _: asyncio.Task[None]) -> None:
        # In a callback: a task that is cancelled before its first step never gets to its `finally`.
        accepted.close()
        self._places.release()

    def _keep(self, step: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(step)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
