"""Where runs on other machines come in: one WebSocket each, every stream of which joins the run's own door.

Read next: `multiplex.py` (what travels there), `carrier.py` (the other end). Why: docs/decisions/0040.
"""

from __future__ import annotations

import asyncio
import http
import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol
from weakref import WeakKeyDictionary

from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from services.executor.egress.channel import SocketChannel
from services.executor.egress.multiplex import MESSAGE_BYTES, Multiplex
from shared.errors import DecodeError, ProjectError

PATH, HEALTH = "/carry", "/healthz"
_BEARER = "Bearer "
_THREADS = 16
_OPEN_S, _CLOSE_S, _STOP_S = 10.0, 2.0, 10.0
# Bytes that a peer lets pile up by not reading while it makes us answer (pings): more than all windows of a run.
_UNREAD_BYTES = 8 << 20
_LOOK_S = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Room:
    """connections: of one attempt; a fresh one stands beside an old one that is being left. all: of this process."""

    connections: int = 3
    all: int = 200


class Gate(Protocol):
    """Who may come in. Called off the front's loop and by several threads at once; may block."""

    def admit(self, token: str) -> str:
        """The attempt's id; its door is open from now on. Raises: NotAuthenticated for a token that is none,
        NotAllowed for an attempt that is over, Unavailable."""

    def join(self, attempt_id: str, connection: socket.socket) -> bool:
        """Gives it a connection, which is the door's from now on; False when the door was closed meanwhile. On the
        front's loop: must not block."""


class Front:
    """Serves on `listening` in a thread of its own from `start` to `stop`."""

    def __init__(self, gate: Gate, listening: socket.socket, room: Room | None = None) -> None:
        self._gate = gate
        self._listening = listening
        self._room = room or Room()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="egress-front")
        self._attempt_of: WeakKeyDictionary[ServerConnection, str] = WeakKeyDictionary()
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._listens = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="egress-front", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._listens.wait()

    def stop(self) -> None:
        """Every connection is told that the server goes away. May be called twice."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(_STOP_S)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def cut(self, attempt_id: str) -> None:
        """Ends the attempt's connections and all they carry. Any thread; does not wait."""
        self._loop.call_soon_threadsafe(self._cut, attempt_id)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._until_stopped())
        finally:
            self._loop.close()

    async def _until_stopped(self) -> None:
        async with serve(
            self._carry,
            sock=self._listening,
            process_request=self._judge,
            compression=None,
            server_header=None,
            open_timeout=_OPEN_S,
            close_timeout=_CLOSE_S,
            max_size=MESSAGE_BYTES,
        ):
            self._listens.set()
            while not self._stopping.is_set():
                self._drop_who_never_reads()
                try:
                    async with asyncio.timeout(_LOOK_S):
                        await self._stopping.wait()
                except TimeoutError:
                    pass

    async def _judge(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.path == HEALTH:
            return connection.respond(http.HTTPStatus.OK, "ok\n")
        if request.path != PATH:
            return connection.respond(http.HTTPStatus.NOT_FOUND, "not here\n")
        header = ", ".join(request.headers.get_all("Authorization"))
        try:
            attempt_id = await self._loop.run_in_executor(
                self._threads, self._gate.admit, header.removeprefix(_BEARER)
            )
        except ProjectError as error:
            log.warning("a run was refused (%s): %s", error.code, error.detail)
            return connection.respond(http.HTTPStatus(error.status), f"{error.code}\n")
        full = len(self._attempt_of) >= self._room.all
        if full or len(self._of(attempt_id)) >= self._room.connections:
            return connection.respond(http.HTTPStatus.TOO_MANY_REQUESTS, "too_many\n")
        self._attempt_of[connection] = attempt_id
        return None

    async def _carry(self, connection: ServerConnection) -> None:
        attempt_id = self._attempt_of[connection]
        try:
            await Multiplex(SocketChannel(connection), lambda: self._joined(attempt_id)).run()
        except DecodeError as error:
            log.warning("%s: %s", attempt_id, error.detail)
            await connection.close(1002, error.code)
        finally:
            self._attempt_of.pop(connection, None)

    def _of(self, attempt_id: str) -> list[ServerConnection]:
        return [connection for connection, of in list(self._attempt_of.items()) if of == attempt_id]

    def _joined(self, attempt_id: str) -> socket.socket | None:
        ours, doors = socket.socketpair()
        if self._gate.join(attempt_id, doors):
            return ours
        ours.close()
        doors.close()
        return None

    def _cut(self, attempt_id: str) -> None:
        for connection in self._of(attempt_id):
            connection.transport.abort()

    def _drop_who_never_reads(self) -> None:
        for connection in list(self._attempt_of):
            if connection.transport.get_write_buffer_size() > _UNREAD_BYTES:
                connection.transport.abort()
