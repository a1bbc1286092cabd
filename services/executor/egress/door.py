"""One run's way in: a listening socket, or connections handed over, and everything behind it. Lives on the gateway's
loop."""

from __future__ import annotations

import asyncio
import socket
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
    """listener None: connections come by `join` alone."""

    def __init__(
        self,
        run: EgressRun,
        listener: socket.socket | None,
        outside: Outside,
        practice: PracticeSite,
        clock: Clock,
    ) -> None:
        self._listener = listener
        self._forwarder = Forwarder(run, outside, practice, clock)
        self._authority = run.authority or RunAuthority(clock.now())
        self._places = run.caps.client_connections
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = False
        self.ca_pem = self._authority.ca_pem

    def open(self) -> None:
        if self._listener is not None:
            self._listener.setblocking(False)
        self._open = True
        self._listen()

    async def close(self) -> EgressReport:
        self._open = False
        self._deafen()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._forwarder.close()
        if self._listener is not None:
            self._listener.close()
        return self._forwarder.meter.report()

    def _listen(self) -> None:
        if self._open and self._listener is not None and len(self._tasks) < self._places:
            asyncio.get_running_loop().add_reader(self._listener, self._accept, self._listener)

    def _deafen(self) -> None:
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)

    def join(self, connection: socket.socket) -> None:
        """Serves a connection that came another way than by the listener, or closes it: over the limit it waits
        nowhere."""
        if self._open and len(self._tasks) < self._places:
            self._serve(connection)
        else:
            connection.close()

    def _accept(self, listener: socket.socket) -> None:
        # A callback rather than `loop.sock_accept`, whose socket is lost when it is cancelled at the wrong
        # moment. Connections over the limit wait in the listener's backlog.
        try:
            accepted, _ = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError:
            self._deafen()
            asyncio.get_running_loop().call_later(_PAUSE_S, self._listen)
            return
        self._serve(accepted)
        if len(self._tasks) >= self._places:
            self._deafen()

    def _serve(self, accepted: socket.socket) -> None:
        session = Session(self._forwarder, self._authority)
        wire = SocketWire(accepted, _CLIENT_SILENCE_S)
        task = asyncio.get_running_loop().create_task(session.serve(wire))
        self._tasks.add(task)
        task.add_done_callback(partial(self._left, accepted))

    def _left(self, accepted: socket.socket, task: asyncio.Task[None]) -> None:
        # In a callback: a task that is cancelled before its first step never gets to its `finally`.
        accepted.close()
        self._tasks.discard(task)
        self._listen()
