"""The way from a run's own machine to `executor-egress`: its connections, carried over one WebSocket.

Read next: `multiplex.py` (what travels there), `front.py` (the other end). Why: docs/decisions/0040.
"""

from __future__ import annotations

import asyncio
import random
import socket
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus

from services.executor.egress.channel import SocketChannel
from services.executor.egress.multiplex import MESSAGE_BYTES, Multiplex, reset
from shared.errors import DecodeError, NotAllowed, ProjectError, Unavailable

PATH: Final = "/carry"
_OPEN_S = 10.0
_CLOSE_S = 2.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.2, 5.0
# Of these no later try is answered otherwise: the token is not one, or what it stood for is over.
_FINAL = frozenset({400, 401, 403, 404})


@dataclass(frozen=True)
class Patience:
    """Seconds. first: how long the first connection is tried for; a network that was just made may take minutes
    (cloud.google.com/run/docs/configuring/shared-vpc-direct-vpc). again: the same after one had stood.
    renew: age at which a connection takes no new streams, well before Cloud Run cuts it (60 minutes at most,
    cloud.google.com/run/docs/configuring/request-timeout)."""

    first: float = 180.0
    again: float = 30.0
    renew: float = 50 * 60


@dataclass
class _Line:
    connection: ClientConnection
    multiplex: Multiplex
    since_s: float


class Carrier:
    """url: `https://…`, without a path. token: proof of which attempt this is. say: told in a sentence, from the
    carrier's thread, why there was no way or why one ended. identity: more headers, for whoever stands before the
    service; asked for at each connection, in a thread; may block and raise Unavailable. chance: spreads the tries.

    Nothing is dialled before `ready` or the first connection. When the WebSocket is cut all its streams end with a
    reset, and the next connection dials anew: nothing is taken up where it was.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        say: Callable[[str], None] = lambda text: None,
        identity: Callable[[], Mapping[str, str]] = dict,
        patience: Patience | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self._url = url.rstrip("/").replace("http", "ws", 1) + PATH
        self._token = token
        self._say = say
        self._identity = identity
        self._patience = patience or Patience()
        self._chance = chance or random.Random()
        self._stood = False
        self._line: _Line | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._refused: NotAllowed | None = None
        self._closed = False
        self._guard = threading.Lock()
        self._dialling = asyncio.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="carrier", daemon=True)
        self._thread.start()

    def carry(self, connection: socket.socket) -> None:
        """The connection belongs to the carrier from now on. Returns at once; any thread. Where there is no way, it
        is reset."""
        with self._guard:
            if not self._closed:
                self._loop.call_soon_threadsafe(self._begin, connection)
                return
        reset(connection)

    def ready(self, at_most_s: float) -> None:
        """Dials, and returns when the way stands, or does not after so long: then it is tried on, and connections
        wait for it. Called before the code runs, whose own patience is not ours to spend."""
        with self._guard:
            if self._closed:
                return
            dialled = asyncio.run_coroutine_threadsafe(self._stand(), self._loop)
        with suppress(TimeoutError, CancelledError):
            dialled.result(at_most_s)

    def close(self) -> None:
        """Ends all connections, and waits for that. May be called twice."""
        with self._guard:
            closed, self._closed = self._closed, True
        if not closed:
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    async def _end(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _keep(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _begin(self, connection: socket.socket) -> None:
        # In a callback: a task that is cancelled before its first step never gets to its `except`.
        task = self._keep(self._join(connection))
        task.add_done_callback(lambda done: reset(connection) if done.cancelled() else None)

    async def _stand(self) -> None:
        if (task := asyncio.current_task()) is not None:
            self._tasks.add(task)  # so that `close` ends it
            task.add_done_callback(self._tasks.discard)
        try:
            await self._open_line()
        except ProjectError as error:
            self._say(error.detail)

    async def _join(self, connection: socket.socket) -> None:
        try:
            line = await self._open_line()
        except ProjectError as error:
            self._say(error.detail)
            reset(connection)
            return
        if not line.multiplex.open(connection):
            self._say("More connections are open at once than a run may have.")
            reset(connection)

    async def _open_line(self) -> _Line:
        """Raises: NotAllowed when the token is refused, from then on always; Unavailable."""
        async with self._dialling:
            line = self._line
            if line is not None and line.multiplex.ended:
                line = None
            if line is not None and self._loop.time() - line.since_s < self._patience.renew:
                return line
            if self._refused is not None:
                raise self._refused
            fresh = await self._dial()
            if line is not None:  # what it carries it carries to its end
                self._keep(_closed_when_idle(line))
            self._line, self._stood = fresh, True
            self._keep(self._run(fresh))
            return fresh

    async def _dial(self) -> _Line:
        until_s = self._loop.time() + (self._patience.again if self._stood else self._patience.first)
        wait_s = _FIRST_WAIT_S
        while True:
            try:
                connection = await self._connected()
            except (OSError, InvalidHandshake, Unavailable) as error:
                if isinstance(error, InvalidStatus) and error.response.status_code in _FINAL:
                    text = f"The way out is closed to this run ({error.response.status_code})."
                    self._refused = NotAllowed(text, code="egress_refused")
                    raise self._refused from error
            else:
                return _Line(connection, Multiplex(SocketChannel(connection)), self._loop.time())
            if self._loop.time() + wait_s > until_s:
                raise Unavailable("The way out of this run cannot be reached.", code="egress_unreachable")
            await asyncio.sleep(wait_s * self._chance.uniform(0.5, 1))
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    async def _connected(self) -> ClientConnection:
        known = await asyncio.to_thread(self._identity)
        return await connect(
            self._url,
            additional_headers={**known, "Authorization": f"Bearer {self._token}"},
            compression=None,
            proxy=None,
            open_timeout=_OPEN_S,
            close_timeout=_CLOSE_S,
            max_size=MESSAGE_BYTES,
        )

    async def _run(self, line: _Line) -> None:
        why = "The way out of this run was cut."
        try:
            await line.multiplex.run()
        except DecodeError as error:
            why = error.detail
        finally:
            cut = self._line is line
            if cut:
                self._line = None
            await line.connection.close()
        if cut:
            self._say(f"{why} {line.connection.close_reason or ''}".strip())


async def _closed_when_idle(line: _Line) -> None:
    await line.multiplex.idle()
    await line.connection.close()
